/** Colours of weights: viridis, which is even to the eye and to those who see few colours; and one for differences. */
type Colour = readonly [number, number, number];

/** Every sixteenth of matplotlib's viridis (CC0). */
const stops: readonly Colour[] = [
  [68, 1, 84], [72, 26, 108], [71, 47, 125], [65, 68, 135], [57, 86, 140], [49, 104, 142], [42, 120, 142], [35, 136, 142],
  [31, 152, 139], [34, 168, 132], [53, 183, 121], [84, 197, 104], [122, 209, 81], [165, 219, 54], [210, 226, 27], [253, 231, 37],
];
const less: Colour = [33, 102, 172];
const middle: Colour = [235, 235, 232];
const more: Colour = [217, 95, 14];

/** Weights span many sizes: a ten-thousandth is dark, one is bright. */
const leastWeight = 1e-4;

export function brightness(weight: number): number {
  if (weight <= leastWeight) return 0;
  return Math.min(1, 1 - Math.log10(weight) / Math.log10(leastWeight));
}

export function viridis(share: number): Colour {
  return between(stops, Math.min(1, Math.max(0, share)));
}

/** −1 … 1. */
export function difference(value: number): Colour {
  return between([less, middle, more], (Math.min(1, Math.max(-1, value)) + 1) / 2);
}

/** GPU, RAM and disk: told apart by those who see few colours, too. */
export const tierColours = { onGpu: [0, 114, 178], inRam: [230, 159, 0], onDisk: [140, 140, 140] } as const satisfies Record<string, Colour>;

/** Colours by their shares, which add up to 1. */
export function mixed(parts: readonly (readonly [Colour, number])[]): Colour {
  const channel = (index: 0 | 1 | 2): number => Math.round(parts.reduce((sum, [colour, share]) => sum + share * colour[index], 0));
  return [channel(0), channel(1), channel(2)];
}

export function css([red, green, blue]: Colour): string {
  return `rgb(${red} ${green} ${blue})`;
}

function between(colours: readonly Colour[], share: number): Colour {
  const at = share * (colours.length - 1);
  const low = Math.min(colours.length - 2, Math.floor(at));
  const mix = (channel: 0 | 1 | 2): number => Math.round(colours[low][channel] + (at - low) * (colours[low + 1][channel] - colours[low][channel]));
  return [mix(0), mix(1), mix(2)];
}
