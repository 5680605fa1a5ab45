/** What two answers to one question weighed differently, cell by cell: tiles of both, one less the other. */
import type { MapTile, MapTiles, TilePlace } from './mapTiles.ts';

/** What the map draws from. */
export type TileSource = Pick<MapTiles, 'find' | 'want' | 'close' | 'pending' | 'size' | 'failure'>;

export class DifferenceTiles implements TileSource {
  readonly #here: MapTiles;
  readonly #there: MapTiles;
  readonly #made = new WeakMap<MapTile, { there: MapTile; tile: MapTile }>();

  constructor(here: MapTiles, there: MapTiles) {
    this.#here = here;
    this.#there = there;
  }

  get pending(): number {
    return this.#here.pending + this.#there.pending;
  }

  get size(): number {
    return Math.min(this.#here.size, this.#there.size);
  }

  get failure(): unknown {
    return this.#here.failure ?? this.#there.failure;
  }

  /** undefined until both are there. */
  find(place: TilePlace): MapTile | undefined {
    const [here, there] = [this.#here.find(place), this.#there.find(place)];
    if (!here || !there) return undefined;
    const known = this.#made.get(here);
    if (known?.there === there) return known.tile;
    const tile = differenceOf(here, there);
    this.#made.set(here, { there, tile });
    return tile;
  }

  want(places: readonly TilePlace[]): void {
    this.#here.want(places);
    this.#there.want(places);
  }

  close(): void {
    this.#here.close();
    this.#there.close();
  }
}

/** Of the cells that both have: means over the heads, −1 to 1. */
export function differenceOf(here: MapTile, there: MapTile): MapTile {
  const rows = Math.min(here.rows, there.rows);
  const columns = Math.min(here.columns, there.columns);
  const [sums, peaks] = [new Float32Array(rows * columns), new Float32Array(rows * columns)];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [a, b] = [row * here.columns + column, row * there.columns + column];
      sums[row * columns + column] = here.sums[a] / here.heads - there.sums[b] / there.heads;
      peaks[row * columns + column] = here.peaks[a] - there.peaks[b];
    }
  }
  return { ...here, rows, columns, heads: 1, sums, peaks, peakKeys: new Uint32Array(0), signed: true };
}

/** How many tokens two answers begin with in common. */
export function commonTokens(one: readonly string[], other: readonly string[]): number {
  const first = one.findIndex((token, i) => token !== other[i]);
  return first < 0 ? one.length : first;
}
