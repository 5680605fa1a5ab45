/** How much memory the GPU has. WebGPU does not tell; the operating system's own tools do, where there are any. */
import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { promisify } from 'node:util';
import type { AdapterReport } from '../contract/entities.ts';

/** Of a Mac's memory, what Metal lets a program use on larger machines. */
const unifiedShare = 0.7;
let asked: Promise<number | null> | undefined;

/** null: an adapter that computes on the processor, or one whose memory is not known. */
export async function gpuMemoryBytes(adapter: Pick<AdapterReport, 'kind' | 'vendor'>): Promise<number | null> {
  if (adapter.kind === 'software') return null;
  if (process.platform === 'darwin') return Math.floor(totalmem() * unifiedShare);
  return (asked ??= /nvidia/i.test(adapter.vendor) ? askNvidia() : process.platform === 'linux' ? askDrm() : Promise.resolve(null));
}

async function askNvidia(): Promise<number | null> {
  const reply = await promisify(execFile)('nvidia-smi', ['--query-gpu=memory.total', '--format=csv,noheader,nounits'], { timeout: 5000 }).catch(() => null);
  const mebibytes = Number(reply?.stdout.split('\n')[0]);
  return mebibytes > 0 ? mebibytes * 2 ** 20 : null;
}

async function askDrm(): Promise<number | null> {
  const cards = await readdir('/sys/class/drm').catch(() => []);
  const sizes = await Promise.all(cards.map((card) => readFile(`/sys/class/drm/${card}/device/mem_info_vram_total`, 'utf8').then(Number, () => 0)));
  const largest = Math.max(0, ...sizes);
  return largest > 0 ? largest : null;
}
