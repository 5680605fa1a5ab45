/** Products of vectors of `dims` f32, four at a time; `dims` is a multiple of 4, addresses of 16. */

function sum(x: v128): f32 {
  const pairs = f32x4.add(x, v128.shuffle<f32>(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** a·b; what overflowed to no number counts as the least. */
export function innerProduct(a: usize, b: usize, dims: i32): f32 {
  const end = a + (<usize>dims << 2);
  let one = f32x4.splat(0);
  let two = f32x4.splat(0);
  let three = f32x4.splat(0);
  let four = f32x4.splat(0);
  for (; a + 48 < end; a += 64, b += 64) {
    one = f32x4.add(one, f32x4.mul(v128.load(a), v128.load(b)));
    two = f32x4.add(two, f32x4.mul(v128.load(a, 16), v128.load(b, 16)));
    three = f32x4.add(three, f32x4.mul(v128.load(a, 32), v128.load(b, 32)));
    four = f32x4.add(four, f32x4.mul(v128.load(a, 48), v128.load(b, 48)));
  }
  for (; a < end; a += 16, b += 16) one = f32x4.add(one, f32x4.mul(v128.load(a), v128.load(b)));
  const score = sum(f32x4.add(f32x4.add(one, two), f32x4.add(three, four)));
  return score == score ? score : -f32.MAX_VALUE;
}

/** -|a - b|²: how near two keys are, wherever their origin lies. */
export function nearness(a: usize, b: usize, dims: i32): f32 {
  const end = a + (<usize>dims << 2);
  let total = f32x4.splat(0);
  for (; a < end; a += 16, b += 16) {
    const difference = f32x4.sub(v128.load(a), v128.load(b));
    total = f32x4.add(total, f32x4.mul(difference, difference));
  }
  const distance = sum(total);
  return distance == distance ? -distance : -f32.MAX_VALUE;
}
