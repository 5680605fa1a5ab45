/**
 * What people call an adapter, in a few words: drivers answer with versions (“llvmpipe: Mesa 25.0.7-2 (LLVM 15.0.6)”)
 * or with a name in small letters (“nvidia-h100-80gb-hbm3”).
 */
export interface AdapterNameSource {
  /** Everything that is known, for lack of better. */
  name: string;
  device: string;
  kind: 'gpu' | 'software';
}

const softwareNames: readonly (readonly [RegExp, string])[] = [
  [/llvmpipe|lavapipe/i, 'llvmpipe'],
  [/swiftshader/i, 'SwiftShader'],
  [/basic render/i, 'Basic Render'],
];
/** Words of trademarks and of memory, which the person did not choose the card by. */
const silentWords = /^(r|tm|c|\d+gb|hbm\d*e?|gddr\d*x?)$/i;
const spellings = new Map(['NVIDIA', 'GeForce', 'Ti', 'Pro', 'Max', 'Arc', 'Xe'].map((word) => [word.toLowerCase(), word]));

export function shortAdapterName({ name, device, kind }: AdapterNameSource): string {
  if (kind === 'software') {
    const known = softwareNames.find(([pattern]) => pattern.test(`${name} ${device}`))?.[1];
    return `${known ?? nameOfDevice(device) ?? name} (software)`;
  }
  return nameOfDevice(device) ?? name;
}

function nameOfDevice(device: string): string | undefined {
  const words = device.replaceAll(/\((r|tm|c)\)/gi, ' ').split(/[\s_-]+/).filter((word) => word !== '' && !silentWords.test(word));
  return words.length > 0 ? words.map(spell).join(' ') : undefined;
}

/** “geforce” → “GeForce”, “rtx” → “RTX”, “4070” and “h100” → “H100”, “graphics” → “Graphics”; what has capitals keeps them. */
function spell(word: string): string {
  if (word !== word.toLowerCase()) return word;
  const known = spellings.get(word);
  if (known) return known;
  return word.length <= 3 || /\d/.test(word) ? word.toUpperCase() : `${word[0].toUpperCase()}${word.slice(1)}`;
}
