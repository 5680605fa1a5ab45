/** Measures llama.cpp in a child process. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { cancelled, HostError } from '../errors.ts';
import { peerEntry } from '../locations.ts';
import { type PeerRequest, type PeerResult, peerResult } from './peerProtocol.ts';

const runFile = promisify(execFile);

export async function runPeer(request: PeerRequest, signal: AbortSignal): Promise<PeerResult> {
  try {
    const { stdout } = await runFile(process.execPath, [peerEntry(), JSON.stringify(request)], { signal });
    // The library may print lines of its own before the result.
    return peerResult.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
  } catch (error) {
    if (signal.aborted) throw cancelled();
    const lines = (error instanceof Error ? error.message : String(error)).trim().split('\n');
    // Node prints the place, the error and its stack; what went wrong is in the error.
    const words = lines.find((line) => line.startsWith('Error: '))?.slice('Error: '.length) ?? lines.slice(-3).join(' ');
    throw new HostError('peer-failed', `llama.cpp could not be measured: ${words}`, `Install it there: cd ${request.folder} && npm install ${request.backend === 'cpu' ? 'node-llama-cpp' : '@fugood/llama.node'}`, { cause: error });
  }
}
