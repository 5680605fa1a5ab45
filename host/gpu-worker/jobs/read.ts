/** Reads a document into a memory: the prompt up to its end, which every chat about it begins with. */
import type { ActiveModel } from '../activeModel.ts';
import type { JobContext } from '../gpuWorker.ts';
import type { ReadResult, WorkerRequest } from '../protocol.ts';
import { readPrompt } from '../readPrompt.ts';
import { composeChat } from '../readSoFar.ts';
import { tooLong } from './generate.ts';

export async function read(model: ActiveModel, { document, keeping }: Extract<WorkerRequest, { kind: 'read' }>, context: JobContext): Promise<ReadResult> {
  const { composed, documents } = await composeChat(model, { kind: 'chat', documents: [document], system: '', history: [], question: '?' }, keeping, context.memories);
  const { tokens } = composed;
  const end = documents[0].end;
  if (end >= model.loaded.contextTokens) throw tooLong(end, model.loaded.contextTokens);
  const started = performance.now();
  const result = await readPrompt(model, { tokens: tokens.slice(0, end), documents }, { keeping, mustKeep: true, context });
  return { tokens: end, keptTokens: result.keptTokens, readingMs: performance.now() - started, leaf: result.leaf ?? '', sparselyRead: result.sparselyRead };
}
