// Sums of exponentials without overflow: total·e^highest. A row of masses, one a head, begins with how many follow
// (as `highest`): as many as the kernel that left them had workgroups.

struct Mass { highest: f32, total: f32 }

const MAX_MASSES = 512u;
const MASS_STRIDE = 1u + MAX_MASSES;

fn withScore(mass: Mass, score: f32) -> Mass {
  let ratio = exp(max(-abs(score - mass.highest), -88.0));
  return Mass(max(score, mass.highest), select(mass.total + ratio, mass.total * ratio + 1.0, score > mass.highest));
}

fn together(a: Mass, b: Mass) -> Mass {
  let highest = max(a.highest, b.highest);
  return Mass(highest, a.total * exp(max(a.highest - highest, -88.0)) + b.total * exp(max(b.highest - highest, -88.0)));
}
