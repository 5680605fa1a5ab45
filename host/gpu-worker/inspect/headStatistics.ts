/** What kind each attention head is, from where its weight goes while an answer is written. */
import { statisticsFloats } from '../../../engine/inspect/rangeKernels.ts';
import { attentionHeads, type ModelSpec } from '../../../engine/models/spec.ts';
import type { HeadStatistics, HeadType, LayerGroup, Zones } from '../../contract/inspection.ts';

/** Of one layer: [rows][heads][statisticsFloats], see shaders/inspect_rows.wgsl. */
export type RowStatistics = readonly Float32Array[];

const groupCount = 4;

/** Layers that see everything in four groups by depth, and those with a window together. */
export function layerGroups(spec: ModelSpec): LayerGroup[] {
  const indexed = spec.blocks.map(({ mixer }, layer) => ({ layer, kind: mixer.kind }));
  const full = indexed.filter(({ kind }) => kind === 'full').map(({ layer }) => layer);
  const sliding = indexed.filter(({ kind }) => kind === 'sliding').map(({ layer }) => layer);
  const size = Math.ceil(full.length / groupCount);
  const groups: LayerGroup[] = [];
  for (let first = 0; first < full.length; first += size) {
    const layers = full.slice(first, first + size);
    groups.push({ name: layers.length > 1 ? `Layers ${layers[0] + 1}–${layers[layers.length - 1] + 1}` : `Layer ${layers[0] + 1}`, kind: 'full', layers });
  }
  if (sliding.length > 0) groups.push({ name: 'Layers with a window', kind: 'sliding', layers: sliding });
  return groups;
}

/** Of one row: a mean over all heads of the layers. */
export function zonesOf(statistics: RowStatistics, layers: readonly number[], row: number, spec: ModelSpec): Zones {
  const sums: Zones = { sinks: 0, recent: 0, document: 0, other: 0 };
  let count = 0;
  for (const layer of layers) {
    const heads = attentionHeads(spec.blocks[layer].mixer);
    for (let head = 0; head < heads; head++) {
      addZones(sums, statistics[layer], (row * heads + head) * statisticsFloats);
      count++;
    }
  }
  return scaled(sums, 1 / Math.max(1, count));
}

/**
 * `written`: the token that each row was followed by; `telling`: whether that token says something by itself, so that
 * looking at the same token in the document means copying it.
 */
export function headStatisticsOf(statistics: RowStatistics, spec: ModelSpec, { tokens, written, telling }: { tokens: readonly number[]; written: readonly number[]; telling: readonly boolean[] }): HeadStatistics[] {
  const tellingRows = telling.filter(Boolean).length;
  return spec.blocks.flatMap(({ mixer }, layer) =>
    Array.from({ length: attentionHeads(mixer) }, (_, head): HeadStatistics => {
      const sums: Zones = { sinks: 0, recent: 0, document: 0, other: 0 };
      let previous = 0;
      let entropy = 0;
      let copied = 0;
      for (const [row, token] of written.entries()) {
        const at = (row * attentionHeads(mixer) + head) * statisticsFloats;
        const values = statistics[layer];
        addZones(sums, values, at);
        previous += values[at + 2];
        entropy += values[at + 5];
        if (telling[row] && tokens[values[at + 7]] === token) copied += values[at + 6];
      }
      const share = 1 / Math.max(1, written.length);
      const kind = mixer.windowTokens === null ? 'full' : 'sliding';
      const found = { layer, head, kind, zones: scaled(sums, share), previous: previous * share, entropy: entropy * share, copy: tellingRows > 0 ? copied / tellingRows : 0 } as const;
      return { ...found, type: typeOf(found), retrieval: false };
    }),
  );
}

/** By what the head does most; the thresholds only name it. */
function typeOf({ zones, previous, entropy, copy }: Omit<HeadStatistics, 'type' | 'retrieval'>): HeadType {
  if (copy > 0.1) return 'retrieval';
  if (zones.sinks > 0.6) return 'sink';
  if (previous > 0.5) return 'previous';
  if (zones.recent > 0.6) return 'local';
  if (zones.document > 0.4) return entropy > 5 ? 'uniform' : 'document';
  return 'mixed';
}

function addZones(sums: Zones, values: Float32Array, at: number): void {
  sums.sinks += values[at];
  sums.recent += values[at + 1];
  sums.document += values[at + 3];
  sums.other += values[at + 4];
}

function scaled({ sinks, recent, document, other }: Zones, factor: number): Zones {
  return { sinks: sinks * factor, recent: recent * factor, document: document * factor, other: other * factor };
}
