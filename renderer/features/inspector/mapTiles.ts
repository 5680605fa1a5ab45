/**
 * Tiles of an answer's attention for the map: a pyramid as maps have it, 256 columns a tile, twice as many tokens a
 * column from level to level. Those used longest ago are forgotten; what is not in sight any more is cancelled.
 */
import type { HeadChoice } from '../../../host/contract/inspection.ts';
import type { HostCaller } from '../../app/connection/session.ts';
import { floatsOf, wordsOf } from './decode.ts';

export const tileColumns = 256;
export const tileRows = 256;

export interface TilePlace {
  /** 2^level tokens a column. */
  level: number;
  x: number;
  /** Of the answer's rows, in tiles. */
  y: number;
}

export interface MapTile extends TilePlace {
  rows: number;
  columns: number;
  heads: number;
  sums: Float32Array;
  peaks: Float32Array;
  peakKeys: Uint32Array;
  /** Of two answers, one less the other. */
  signed?: true;
}

export interface MapExtent {
  rows: number;
  keys: number;
}

const mostTiles = 96;
const mostAtOnce = 2;

export class MapTiles {
  readonly #caller: HostCaller;
  readonly #messageId: string;
  readonly #heads: HeadChoice;
  readonly #extent: MapExtent;
  readonly #asDecoded: boolean;
  readonly #onChange: () => void;
  /** The ones used longest ago first. */
  readonly #tiles = new Map<string, MapTile>();
  readonly #underWay = new Set<string>();
  #inSight = new Set<string>();
  #wanted: TilePlace[] = [];
  #failure: unknown = null;
  #closed = false;

  constructor(caller: HostCaller, { messageId, heads, extent, asDecoded = false }: { messageId: string; heads: HeadChoice; extent: MapExtent; asDecoded?: boolean }, onChange: () => void) {
    this.#caller = caller;
    this.#messageId = messageId;
    this.#heads = heads;
    this.#extent = extent;
    this.#asDecoded = asDecoded;
    this.#onChange = onChange;
  }

  /** Tiles that are on their way or waited for. */
  get pending(): number {
    return this.#underWay.size + this.#wanted.length;
  }

  get failure(): unknown {
    return this.#failure;
  }

  get size(): number {
    return this.#tiles.size;
  }

  find(place: TilePlace): MapTile | undefined {
    const key = keyOf(place);
    const tile = this.#tiles.get(key);
    if (!tile) return undefined;
    this.#tiles.delete(key);
    this.#tiles.set(key, tile);
    return tile;
  }

  /**
   * What the map shows now, the most urgent first; what it showed before and does not any more is not waited for. Closed
   * ones are open again: React may take a map away and put it back.
   */
  want(places: readonly TilePlace[]): void {
    this.#closed = false;
    this.#inSight = new Set(places.map(keyOf));
    this.#wanted = places.filter((place) => !this.#tiles.has(keyOf(place)) && !this.#underWay.has(keyOf(place)));
    const stale = this.#underWay.size > 0 && ![...this.#underWay].some((key) => this.#inSight.has(key));
    if (stale) void this.#caller.call('inspector.cancel', { messageId: this.#messageId }).catch(() => undefined);
    this.#next();
  }

  close(): void {
    this.#closed = true;
    this.#inSight.clear();
    this.#wanted = [];
    if (this.#underWay.size > 0) void this.#caller.call('inspector.cancel', { messageId: this.#messageId }).catch(() => undefined);
  }

  #next(): void {
    while (!this.#closed && this.#underWay.size < mostAtOnce) {
      const place = this.#wanted.shift();
      if (!place) return;
      void this.#fetch(place);
    }
  }

  async #fetch(place: TilePlace): Promise<void> {
    const key = keyOf(place);
    this.#underWay.add(key);
    const perBucket = 2 ** place.level;
    const from = place.x * tileColumns * perBucket;
    const request = {
      messageId: this.#messageId,
      heads: this.#heads,
      ...(this.#asDecoded ? { asDecoded: true as const } : {}),
      rows: { from: place.y * tileRows, to: Math.min(this.#extent.rows, (place.y + 1) * tileRows), perBucket: 1 },
      keys: { from, to: Math.min(this.#extent.keys, from + tileColumns * perBucket), perBucket },
    };
    try {
      const { rows, columns, heads, sums, peaks, peakKeys } = await this.#caller.call('inspector.tile', request);
      this.#tiles.set(key, { ...place, rows, columns, heads, sums: floatsOf(sums), peaks: floatsOf(peaks), peakKeys: wordsOf(peakKeys) });
      this.#failure = null;
      for (const oldest of this.#tiles.keys()) {
        if (this.#tiles.size <= mostTiles) break;
        this.#tiles.delete(oldest);
      }
    } catch (error) {
      // One that was cancelled is asked for again when it is back in sight, or comes back.
      if (!isCancelled(error)) this.#failure = error;
      else if (this.#inSight.has(key)) this.#wanted.push(place);
    } finally {
      this.#underWay.delete(key);
    }
    if (this.#closed) return;
    this.#onChange();
    this.#next();
  }
}

function isCancelled(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'failure' in error && (error.failure as { code?: string }).code === 'cancelled';
}

export function keyOf({ level, x, y }: TilePlace): string {
  return `${level}/${x}/${y}`;
}

/** The level at which a column is at least `leastPixels` wide. */
export function levelFor(shownKeys: number, widthPixels: number, leastPixels = 2): number {
  return Math.max(0, Math.ceil(Math.log2(Math.max(1, (shownKeys * leastPixels) / Math.max(1, widthPixels)))));
}

/** Tiles of a level that keys [fromKey, toKey) and all rows need, the middle first. */
export function placesFor(level: number, { fromKey, toKey }: { fromKey: number; toKey: number }, rows: number): TilePlace[] {
  const tokens = tileColumns * 2 ** level;
  const first = Math.floor(fromKey / tokens);
  const last = Math.floor(Math.max(fromKey, toKey - 1) / tokens);
  const middle = (first + last) / 2;
  const places: TilePlace[] = [];
  for (let y = 0; y * tileRows < rows; y++) for (let x = first; x <= last; x++) places.push({ level, x, y });
  return places.sort((a, b) => Math.abs(a.x - middle) - Math.abs(b.x - middle));
}
