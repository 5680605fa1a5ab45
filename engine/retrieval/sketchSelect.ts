/**
 * Selection by the sketch alone: a scan of a few planes proposes several times as many tokens as wanted, all planes
 * rank those again, and the best are kept. No key is read.
 */
import type { Device } from '../device/device.ts';
import type { Clusters } from './clusters.ts';
import type { FarLayout } from './layout.ts';
import { bindSelect, type Follow, Selection, SelectScratch, selectScratchBytes, SelectUniform, type SelectVariant } from './select.ts';
import type { Sketch } from './sketch.ts';
import { bindSketchScan, ScanScratch, scanScratchBytes, ScanUniform, type ScanVariant } from './sketchScan.ts';

export interface SketchSelectStep {
  /** Positions before this one are sealed, and sketched. */
  sealedTokens: number;
  /** Tokens to choose for each key-value head. */
  wanted: number;
  /** Candidates for each wanted token; 1 chooses by the scan alone. */
  oversample: number;
  /** Planes that the scan reads; the candidates are ranked by all. 0 where there is no sketch to scan. */
  scanPlanes: number;
  /** Which tokens bring those behind them along; left out, none. */
  follow?: Follow | null;
}

export interface SketchSelectSizes {
  /** Most `wanted · oversample` of a step. */
  maxCandidates: number;
}

/** Bytes of a `SketchSelectScratch`: the scores, and lists. */
export function sketchSelectScratchBytes(layout: FarLayout, { maxCandidates }: SketchSelectSizes): number {
  const { heads, kvHeads, capacityTokens } = layout;
  const scores = heads * (capacityTokens + maxCandidates) * 4;
  return scores + kvHeads * (maxCandidates + 1) * 4 + scanScratchBytes(layout) + selectScratchBytes(layout);
}

/** Buffers and numbers that all layers of a shape share. */
export class SketchSelectScratch {
  /** [head][capacityTokens] f32: the scan's scores; a group's first row becomes the combined log-weights. */
  readonly scores: GPUBuffer;
  /** [head][maxCandidates] f32: the candidates' scores by all planes. */
  readonly candidateScores: GPUBuffer;
  readonly candidates: Selection;
  readonly scan: ScanScratch;
  readonly select: SelectScratch;
  readonly uniforms: { scan: ScanUniform; rescan: ScanUniform; propose: SelectUniform; choose: SelectUniform };
  readonly #device: Device;
  readonly #layout: FarLayout;
  #written = '';

  constructor(device: Device, layout: FarLayout, { maxCandidates }: SketchSelectSizes) {
    this.#device = device;
    this.#layout = layout;
    this.scan = new ScanScratch(device, layout);
    this.select = new SelectScratch(device, layout);
    this.scores = device.memory.storage('activations', 'sketch scores', layout.heads * layout.capacityTokens * 4);
    this.candidateScores = device.memory.storage('activations', 'candidate scores', layout.heads * maxCandidates * 4);
    this.candidates = new Selection(device, layout, { maxSelected: maxCandidates, label: 'candidates' });
    this.uniforms = {
      scan: new ScanUniform(device),
      rescan: new ScanUniform(device),
      propose: new SelectUniform(device, layout),
      choose: new SelectUniform(device, layout),
    };
  }

  /** Before a step's submission; queued in order with the submissions around it. */
  write(step: SketchSelectStep): void {
    const { sealedTokens, scanPlanes, wanted, follow } = step;
    const { planes } = this.#layout;
    if (scanPlanes > planes || (scanPlanes < 1 && planes > 0)) throw new RangeError(`a sketch of ${planes} planes cannot be scanned by ${scanPlanes}`);
    // All layers of a step have the same numbers, and a write takes longer than finding that out.
    const key = JSON.stringify(step);
    if (key === this.#written) return;
    this.#written = key;
    this.uniforms.scan.write({ sealedTokens, planesRead: scanPlanes });
    this.uniforms.rescan.write({ sealedTokens, planesRead: planes });
    this.uniforms.propose.write({ entries: sealedTokens, wanted: candidatesOf(step, this.#layout), follow });
    this.uniforms.choose.write({ entries: sealedTokens, wanted, follow });
  }

  free(): void {
    for (const buffer of [this.scores, this.candidateScores]) this.#device.memory.free(buffer);
    for (const part of [this.candidates, this.scan, this.select, ...Object.values(this.uniforms)]) part.free();
  }
}

export interface SketchSelectBuffers {
  layout: FarLayout;
  sketch: Sketch;
  clusters: Pick<Clusters, 'centroids'>;
  /** [head][headDim] f32, already scaled: the step's first row. */
  queries: GPUBuffer;
  scratch: SketchSelectScratch;
  selection: Selection;
  /** Other than what suits the adapter. */
  variants?: SketchSelectVariants;
}

export interface SketchSelectVariants {
  scan?: Partial<ScanVariant>;
  select?: Partial<SelectVariant>;
  /** Scores are summed in a pass of its own over them, and not while they are scanned. */
  massesApart?: boolean;
}

export interface BoundSketchSelect {
  /** `step` as the scratch was written. Throws a RangeError if it wants more than fits. */
  encode(pass: GPUComputePassEncoder, step: SketchSelectStep): void;
}

export async function bindSketchSelect(device: Device, io: SketchSelectBuffers): Promise<BoundSketchSelect> {
  const { layout, scratch, selection } = io;
  const { scores, candidateScores, candidates, uniforms, select } = scratch;
  const { scan: scanVariant, select: selectVariant, massesApart = false } = io.variants ?? {};
  const shape = { heads: layout.heads, kvHeads: layout.kvHeads, scratch: select, hasMasses: !massesApart, variant: selectVariant };
  const scanned = { ...shape, scores, stride: layout.capacityTokens };
  const scanning = { layout, sketch: io.sketch, clusters: io.clusters, queries: io.queries, scratch: scratch.scan, masses: massesApart ? undefined : select.buffers.masses, variant: scanVariant };
  const [scan, rescan, chooseAtOnce, propose, choose] = await Promise.all([
    bindSketchScan(device, { ...scanning, numbers: uniforms.scan, scores }),
    bindSketchScan(device, { ...scanning, numbers: uniforms.rescan, scores: candidateScores, list: candidates }),
    bindSelect(device, { ...scanned, uniform: uniforms.choose, selection }),
    bindSelect(device, { ...scanned, uniform: uniforms.propose, selection: candidates }),
    bindSelect(device, { ...shape, scores: candidateScores, stride: candidates.maxSelected, uniform: uniforms.choose, selection, list: candidates }),
  ]);
  return {
    encode(pass, step) {
      const { sealedTokens, wanted, follow } = step;
      scan.encodeQueries(pass, sealedTokens);
      scan.encodeScores(pass, sealedTokens);
      const proposed = candidatesOf(step, layout);
      if (proposed === wanted) {
        chooseAtOnce.encode(pass, { entries: sealedTokens, wanted, follow });
        return;
      }
      propose.encode(pass, { entries: sealedTokens, wanted: proposed, follow });
      rescan.encodeScores(pass, Math.min(proposed, sealedTokens));
      choose.encode(pass, { entries: Math.min(proposed, sealedTokens), wanted, follow });
    },
  };
}

/** Candidates of a step; as many as wanted where a second look would see nothing new. */
function candidatesOf({ wanted, oversample, scanPlanes }: SketchSelectStep, { planes }: FarLayout): number {
  return scanPlanes === planes ? wanted : Math.ceil(wanted * oversample);
}
