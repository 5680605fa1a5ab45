/** Changes JSON as damage and malice do: values of other kinds and sizes, parts that are missing, doubled or moved. */

export type Random = () => number;
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

const oddities: readonly Json[] = [null, true, '', 0, -1, 1.5, 1e308, -0, 2 ** 53, 2 ** 32, [], {}, [[]], '\0', '../../etc/passwd', '\ud800', '%00', 'x'.repeat(200), '__proto__', '<script>'];

const below = (random: Random, limit: number): number => Math.floor(random() * limit);
const oddity = (random: Random): Json => oddities[below(random, oddities.length)] ?? null;

/** A changed copy; about one value of `share` is another. */
export function changeJson(value: Json, random: Random, share: number): Json {
  if (random() < share) return oddity(random);
  if (Array.isArray(value)) {
    const items = value.flatMap((item) => {
      const changed = changeJson(item, random, share);
      return random() < share ? (random() < 0.5 ? [] : [changed, changed]) : [changed];
    });
    return random() < share / 4 ? Array.from({ length: 60 }, () => items[0] ?? null) : items;
  }
  if (typeof value === 'string' && random() < share) return value.slice(below(random, value.length + 1)) + value.slice(0, below(random, 4));
  if (value === null || typeof value !== 'object') return value;
  const changed: { [name: string]: Json } = {};
  for (const [name, item] of Object.entries(value)) {
    if (random() < share) continue;
    changed[random() < share ? String(oddity(random)).slice(0, 20) : name] = changeJson(item, random, share);
  }
  return changed;
}

/** A changed text: some characters are others, or missing. It may be no JSON any more. */
export function changeText(text: string, random: Random): string {
  const at = below(random, text.length);
  const length = below(random, 12);
  return text.slice(0, at) + String.fromCharCode(below(random, 256)) + text.slice(at + length);
}
