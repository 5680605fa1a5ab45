// Sums of exponentials without overflow: total·e^highest.

struct Mass { highest: f32, total: f32 }

fn withScore(mass: Mass, score: f32) -> Mass {
  let ratio = exp(max(-abs(score - mass.highest), -88.0));
  if (score > mass.highest) { return Mass(score, mass.total * ratio + 1.0); }
  return Mass(mass.highest, mass.total + ratio);
}

fn together(a: Mass, b: Mass) -> Mass {
  let highest = max(a.highest, b.highest);
  return Mass(highest, a.total * exp(max(a.highest - highest, -88.0)) + b.total * exp(max(b.highest - highest, -88.0)));
}
