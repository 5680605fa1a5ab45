/**
 * An ordinary HNSW over keys, as the library usearch builds it. It does not tell how many keys a search scores, so its
 * graph is read from its file and walked here, counting.
 */
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Index, MetricKind, ScalarKind } from 'usearch';
import { type Found, walkGraph } from '../../engine/reference/retrieval/graph.ts';

export interface HnswGraph {
  /** Neighbours of each key at each level, the lowest first. */
  neighbours: number[][][];
  entry: number;
  buildMs: number;
  bytes: number;
}

/** `keys`: [key][dims]. Connectivity 16 (32 at the lowest level), 128 candidates while building: the library's own. */
export function buildHnsw(keys: Float32Array, dims: number): HnswGraph {
  const startMs = performance.now();
  const index = new Index({ metric: MetricKind.IP, quantization: ScalarKind.F32, dimensions: dims, connectivity: 16, expansion_add: 128, expansion_search: 64, multi: false });
  index.add(BigUint64Array.from({ length: keys.length / dims }, (_, key) => BigInt(key)), keys, 1);
  const buildMs = performance.now() - startMs;
  const path = join(tmpdir(), `hnsw-${process.pid}.usearch`);
  index.save(path);
  const file = readFileSync(path);
  rmSync(path);
  return { ...parse(file), buildMs };
}

/** The best `width` keys that a search keeps, and how many it scored; `scores` are those of all keys, to look them up. */
export function searchHnsw({ neighbours, entry }: HnswGraph, scores: Float64Array, width: number, maxScored: number): Found {
  let scored = 1;
  let best = entry;
  for (let level = neighbours[entry].length - 1; level > 0; level--) {
    for (let moved = true; moved; ) {
      moved = false;
      for (const key of neighbours[best][level]) {
        scored++;
        if (scores[key] <= scores[best]) continue;
        best = key;
        moved = true;
      }
    }
  }
  const base = { entries: [best], neighbours: neighbours.map(([links]) => ({ links, bridges: [] })) };
  const found = walkGraph(base, scores, { width, maxScored: maxScored - scored });
  return { keys: found.keys, scored: found.scored + scored };
}

/** usearch's file: rows and bytes a row (u32), vectors, a head of 64 bytes, five numbers (u64), levels (i16), nodes. */
function parse(file: Buffer): Omit<HnswGraph, 'buildMs'> {
  const vectorsEnd = 8 + file.readUInt32LE(0) * file.readUInt32LE(4);
  let place = vectorsEnd + 64;
  const [size, connectivity, baseConnectivity, , entry] = Array.from({ length: 5 }, (_, i) => Number(file.readBigUInt64LE(place + 8 * i)));
  place += 40;
  const levels = Array.from({ length: size }, (_, i) => file.readInt16LE(place + 2 * i));
  place += 2 * size;
  const neighbours: number[][][] = [];
  const keyOfSlot: number[] = [];
  for (const level of levels) {
    keyOfSlot.push(Number(file.readBigUInt64LE(place)));
    place += 10;
    const node: number[][] = [];
    for (let at = 0; at <= level; at++) {
      const room = at === 0 ? baseConnectivity : connectivity;
      const count = file.readUInt32LE(place);
      node.push(Array.from({ length: count }, (_, i) => file.readUInt32LE(place + 4 + 4 * i)));
      place += 4 + 4 * room;
    }
    neighbours.push(node);
  }
  if (place !== file.length) throw new Error(`the file of usearch has ${file.length} bytes, of which ${place} were read: its format has changed`);
  if (keyOfSlot.some((key, slot) => key !== slot)) throw new Error('usearch has put keys in another order');
  return { neighbours, entry, bytes: file.length - vectorsEnd };
}
