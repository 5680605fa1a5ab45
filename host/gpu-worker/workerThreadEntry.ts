/** A thread of the pool: calls functions of WebAssembly programs over shared memory; see `workerThreads.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ThreadRequest } from './workerThreads.ts';

const { thread } = workerData as { thread: number };
const programs = new Map<number, WebAssembly.Exports>();

parentPort?.on('message', (request: ThreadRequest) => {
  try {
    if (request.kind === 'open') {
      const imports = { env: { memory: request.memory, abort: () => undefined } };
      programs.set(request.program, new WebAssembly.Instance(request.module, imports).exports);
    } else if (request.kind === 'close') {
      programs.delete(request.program);
    } else {
      const call = programs.get(request.program)?.[request.name] as (...numbers: number[]) => number;
      parentPort?.postMessage({ results: request.calls.map((numbers) => Number(call(thread, ...numbers))) });
    }
  } catch (error) {
    parentPort?.postMessage({ error: error instanceof Error ? error.message : String(error) });
  }
});
