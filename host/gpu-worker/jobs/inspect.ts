/** Looks into an answer that was given: for its evidence, for a tile of its attention, or without a passage. */
import type { AttentionTile } from '../../../engine/inspect/inspection.ts';
import type { JobContext } from '../gpuWorker.ts';
import type { AnswerInspector } from '../inspect/answerInspector.ts';
import type { WorkerRequest } from '../protocol.ts';

export async function inspect(inspector: AnswerInspector, { prompt, answer, keeping, wish }: Extract<WorkerRequest, { kind: 'inspect' }>, context: JobContext): Promise<unknown> {
  const turn = { prompt, answer, keeping };
  switch (wish.name) {
    case 'evidence':
      return inspector.evidence(turn, context);
    case 'ablation':
      return inspector.ablate(turn, wish, context);
    case 'profile':
      return inspector.profile(turn, wish, context);
    case 'retrieval':
      return inspector.retrieval(turn, wish, context);
    case 'triangle': {
      const { tile, heads } = await inspector.triangle(turn, wish, context);
      return { ...encoded(tile), heads };
    }
    case 'tile': {
      const { tile, heads } = await inspector.tile(turn, wish, context);
      return { ...encoded(tile), heads };
    }
  }
}

function encoded({ rows, columns, sums, peaks, peakKeys }: AttentionTile) {
  const base64 = ({ buffer }: { buffer: ArrayBuffer }): string => Buffer.from(buffer).toString('base64');
  return { rows, columns, sums: base64(sums), peaks: base64(peaks), peakKeys: base64(peakKeys) };
}
