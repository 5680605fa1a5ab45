/**
 * Conversions between numbers and the two 16-bit floating-point formats of model files: IEEE 754
 * half ("f16": 1 sign, 5 exponent, 10 mantissa bits) and bfloat16 (the top 16 bits of a float32).
 *
 * Everything rounds to nearest, ties to even. The platform's `Float16Array` encodes in bulk where it
 * exists (ten times as fast); the portable functions give the same bits and are tested against it.
 */

type HalfArrayConstructor = new (values: Float32Array) => { readonly buffer: ArrayBuffer };

const PlatformHalfArray = (globalThis as { Float16Array?: HalfArrayConstructor }).Float16Array;

const wide = new Float64Array(1);
const wideWords = new Uint32Array(wide.buffer);
const single = new Float32Array(1);
const singleWord = new Uint32Array(single.buffer);

/** The value of a half given as its 16 bits, by arithmetic alone. */
export function halfToFloatPortable(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

/** The 16 bits of the half nearest to `value`, by arithmetic alone; 65520 and above become infinity. */
export function floatToHalfPortable(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  wide[0] = value;
  const sign = (wideWords[1] >>> 16) & 0x8000;
  // Below 2^-14 halves are subnormal and share that exponent's spacing.
  const exponent = Math.max(((wideWords[1] >>> 20) & 2047) - 1023, -14);
  if (exponent > 15) return sign | 0x7c00;
  // Adding and removing 2^52 leaves the nearest whole number, ties to even.
  const steps = Math.abs(value) * 2 ** (10 - exponent) + 2 ** 52 - 2 ** 52;
  // `steps` holds the implicit leading one, which a carry may also have doubled; both add up rightly.
  return sign | (((exponent + 14) << 10) + steps);
}

/** Every half's value, by its bits: 256 KiB that turn decoding into one load. */
const valueOfHalf = Float32Array.from({ length: 65536 }, (_, bits) => halfToFloatPortable(bits));

/** The value of a half given as its 16 bits. */
export function halfToFloat(bits: number): number {
  return valueOfHalf[bits];
}

/** The 16 bits of the half nearest to `value`. */
export const floatToHalf = floatToHalfPortable;

/** Decodes halves given as bits; the result has the same length. */
export function halvesToFloats(halves: Uint16Array): Float32Array {
  const floats = new Float32Array(halves.length);
  for (let index = 0; index < halves.length; index++) floats[index] = valueOfHalf[halves[index]];
  return floats;
}

/** Encodes numbers as halves, given as bits; the result has the same length. */
export function floatsToHalves(floats: Float32Array): Uint16Array {
  if (PlatformHalfArray) return new Uint16Array(new PlatformHalfArray(floats).buffer);
  return floatsToHalvesPortable(floats);
}

/** `floatsToHalves` without the platform's help. */
export function floatsToHalvesPortable(floats: Float32Array): Uint16Array {
  const halves = new Uint16Array(floats.length);
  for (let index = 0; index < floats.length; index++) halves[index] = floatToHalfPortable(floats[index]);
  return halves;
}

/** The value of a bfloat16 given as its 16 bits. */
export function bfloatToFloat(bits: number): number {
  singleWord[0] = bits << 16;
  return single[0];
}

/** The 16 bits of the bfloat16 nearest to `value`, which is first taken as a float32. */
export function floatToBfloat(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  single[0] = value;
  const word = singleWord[0];
  const tieToEven = 0x7fff + ((word >>> 16) & 1);
  return ((word + tieToEven) >>> 16) & 0xffff;
}

/** Decodes bfloat16 values given as bits; the result has the same length. */
export function bfloatsToFloats(bfloats: Uint16Array): Float32Array {
  const words = new Uint32Array(bfloats.length);
  for (let index = 0; index < bfloats.length; index++) words[index] = bfloats[index] << 16;
  return new Float32Array(words.buffer);
}
