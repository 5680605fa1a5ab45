/** `longleaf read`: reads a document once and keeps what was read; a second call resumes, or says it is read already. */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KvSetting } from '../contract/policy.ts';
import { ProgressMeter } from '../conversations/progressMeter.ts';
import { parseForCommand } from './parseDocument.ts';
import { readResult } from '../gpu-worker/protocol.ts';
import { openDataFolder } from '../storage/dataFolder.ts';
import { noteSparselyRead, showProgress } from './ask.ts';
import type { CommandContext } from './context.ts';
import { chooseOrFetchModel, withEngine } from './engine.ts';

export interface ReadOptions {
  model: string | undefined;
  contextTokens: number | null;
  kv: KvSetting;
}

export async function read(context: CommandContext, documentPath: string, options: ReadOptions): Promise<void> {
  const { output, signal } = context;
  const folder = await mkdtemp(join(tmpdir(), 'longleaf-'));
  try {
    const { name, textPath } = await parseForCommand(context, documentPath, folder);
    const model = await chooseOrFetchModel(context, options.model, options.contextTokens);
    const document = { id: await documentId(textPath), name, textPath };
    const keeping = { folder: openDataFolder(context.dataFolder).memories, modelName: model.name, conversation: null };
    await withEngine(async ({ session, supervisor }) => {
      const meter = new ProgressMeter((progress) => showProgress(output, progress));
      const onLoading = (done: number, total: number) => meter.update('loading', done, total);
      await session.use({ ...model.target, kv: options.kv }, { signal, onLoading }, async () => {
        const result = await supervisor.run({ kind: 'read', document, keeping }, readResult, {
          signal,
          onProgress: ({ phase, done, total }) => {
            if (phase === 'reading') meter.update(phase, done, total);
          },
        });
        const { tokens, keptTokens, readingMs, leaf, sparselyRead } = result;
        output.event({ event: 'done', tokens, keptTokens, readingMs, memory: leaf, sparselyRead });
        output.note(whatHappened(name, model.name, tokens, keptTokens));
        noteSparselyRead(output, sparselyRead);
      });
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function whatHappened(name: string, modelName: string, tokens: number, keptTokens: number): string {
  // The last token is computed again even when all are kept.
  if (keptTokens >= tokens - 1) return `${name} is read already: ${modelName} keeps its ${tokens} tokens.`;
  const before = keptTokens > 0 ? `; ${keptTokens} of them were kept before` : '';
  return `${name} is read: ${modelName} keeps its ${tokens} tokens${before}. Questions about it begin at once.`;
}

/** A document outside the library is known by its text. */
async function documentId(textPath: string): Promise<string> {
  const hash = createHash('sha256').update(await readFile(textPath));
  return `file-${hash.digest('hex').slice(0, 32)}`;
}
