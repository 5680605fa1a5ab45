/**
 * Runs a model's chat template in a thread of its own. Templates come from model files, so they are
 * foreign programs: the thread has a memory limit and is ended when it takes too long.
 */
import { Worker } from 'node:worker_threads';
import { EngineError } from '../../engine/errors.ts';

const limitMs = 5_000;
const limitHeapMegabytes = 64;

/** Renders `template` with `context`; rejects with `template-failed` on an error or a limit. */
export function runTemplate(threadUrl: URL, template: string, context: unknown): Promise<string> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(threadUrl, {
      workerData: { template, context },
      resourceLimits: { maxOldGenerationSizeMb: limitHeapMegabytes, maxYoungGenerationSizeMb: 16 },
      env: {},
    });
    const failed = (message: string, cause?: unknown): void => {
      void thread.terminate();
      reject(new EngineError('template-failed', `The model's chat template ${message}.`, 'Choose another conversion of this model; its template is faulty.', { cause }));
    };
    const timer = setTimeout(() => failed(`did not finish within ${limitMs / 1000} seconds`), limitMs);
    thread.once('message', (reply: { text: string } | { error: string }) => {
      clearTimeout(timer);
      void thread.terminate();
      if ('text' in reply) resolve(reply.text);
      else failed(`failed: ${reply.error}`);
    });
    thread.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      failed(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? `used more than ${limitHeapMegabytes} MB of memory` : `failed: ${error.message}`, error);
    });
  });
}
