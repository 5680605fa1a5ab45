/**
 * How fast weights reach the GPU:
 *
 *     node dist/bench/load.js [--model FILE]… [--types Q4_0,Q8_0,…] [--megabytes 64] [--textures] [--chunks 4x8,3x16]
 *       [--out FILE.jsonl]
 *
 * For each model how long each step of loading takes, the most memory of the process, and the speed of its weights beside that of the slower of reading
 * the file and copying to the GPU. For each type, random weights that the GPU repacks and that the CPU packs: speed,
 * processor time, and whether all words are equal. --chunks streams each model's bytes, as if they were one matrix, through
 * so many buffers of so many MiB. JSON lines.
 */
import { appendFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Device } from '../engine/device/device.ts';
import { Readback } from '../engine/device/readback.ts';
import { randomBlocks } from '../engine/formats/quantisation/testing/randomBlocks.ts';
import { seededRandom } from '../engine/formats/quantisation/testing/seededRandom.ts';
import { sizeInBytes, type TensorTypeName } from '../engine/formats/quantisation/tensorTypes.ts';
import { rowsOf, type StoredMatrix } from '../engine/layers/linear/matrix.ts';
import { unpackRows } from '../engine/layers/linear/storedRows.ts';
import { storedMatrix } from '../engine/layers/linear/testing/sources.ts';
import { usualChunks, WeightUploader } from '../engine/layers/linear/uploader.ts';
import { type LinearWeights, limitsOf } from '../engine/layers/linear/weights.ts';
import { measureLoadSpeed } from '../engine/measure/loadSpeed.ts';
import { loadModel } from '../engine/model.ts';
import type { WeightSource } from '../engine/ports.ts';
import { createTokenizer } from '../engine/tokenizer/createTokenizer.ts';
import { openAdapter } from '../host/gpu-worker/adapter.ts';
import { ChoiceFile } from '../host/gpu-worker/choiceFile.ts';
import { openModelSource } from '../host/models/openModelSource.ts';

const everyType = ['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K', 'IQ4_NL', 'IQ4_XS', 'MXFP4', 'F16'];
const { values } = parseArgs({
  options: {
    model: { type: 'string', multiple: true, default: [] },
    types: { type: 'string', default: everyType.join(',') },
    megabytes: { type: 'string', default: '64' },
    chunks: { type: 'string', default: '' },
    textures: { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});
const columns = 4096;
/** Random ones are made once and repeated. */
const differentRows = 67;

function tell(line: object): void {
  const text = JSON.stringify({ bench: 'load', ...line });
  console.log(text);
  if (values.out) appendFileSync(values.out, `${text}\n`);
}

const device = await openAdapter({ boundsChecks: false });
const choices = new ChoiceFile(process.env['LONGLEAF_CACHE'] ?? join(homedir(), '.cache', 'longleaf'), device.facts);
for (const path of values.model) {
  const source = await openModelSource(path);
  const model = await loadModel(device, source, { choices, contextTokens: 1024, kvBudgetBytes: 1 << 30 });
  // Of the process so far: on a GPU it shows that the file is nowhere as a whole.
  const largestResidentBytes = 1024 * process.resourceUsage().maxRSS;
  const startMs = performance.now();
  createTokenizer(model.file.metadata);
  const tokenizerMs = performance.now() - startMs;
  const speed = await measureLoadSpeed(device, source, model.loading);
  tell({ model: source.name, adapter: device.facts.name, ...model.loading, tokenizerMs, largestResidentBytes, ...speed });
  model.free();
  for (const chunks of values.chunks.split(',').filter(Boolean)) await measureChunks(device, source, chunks);
  await source.close();
}
for (const type of values.types.split(',').filter(Boolean)) await measureType(device, type as TensorTypeName, 1e6 * Number(values.megabytes));
device.destroy();
process.exit(0);

async function measureType(gpu: Device, type: TensorTypeName, bytes: number): Promise<void> {
  const rowBytes = sizeInBytes(type, columns);
  const rows = Math.ceil(bytes / rowBytes);
  const random = seededRandom(1);
  const pattern = type === 'F16' ? randomHalves(random) : randomBlocks(type, differentRows * columns, random);
  const data = new Uint8Array(rows * rowBytes);
  for (let at = 0; at < data.length; at += pattern.length) data.set(pattern.subarray(0, data.length - at), at);
  const stored = storedMatrix(type, data, rows, columns);
  // Compiles, and makes the pages of the staging buffers.
  await upload(gpu, storedMatrix(type, data, 64, columns));
  const repacked = await upload(gpu, stored);
  const packed = await upload(gpu, stored, { onCpu: true });
  const equal = await sameWords(gpu, repacked.weights, packed.weights);
  for (const { weights } of [repacked, packed]) weights.free();
  const { weights: _, ...onGpu } = repacked;
  const { weights: __, ...onCpu } = packed;
  tell({ type, adapter: gpu.facts.name, bytes: data.length, repacked: onGpu, packed: onCpu, equal });
}

/** Up to 2 GiB of a file as a matrix of Q8_0, whatever is in it. */
async function measureChunks(gpu: Device, source: WeightSource, text: string): Promise<void> {
  const [count, mebibytes] = text.split('x').map(Number);
  const rowBytes = sizeInBytes('Q8_0', columns);
  const rows = Math.floor(Math.min(source.sizeBytes, 2 ** 31) / rowBytes);
  const readRows = async (firstRow: number, target: Uint8Array): Promise<void> => {
    if (source.readInto) await source.readInto(firstRow * rowBytes, target);
    else target.set(await source.read(firstRow * rowBytes, target.length));
  };
  const matrix: StoredMatrix = { kind: 'stored', type: 'Q8_0', rows, columns, readRows };
  await upload(gpu, { ...matrix, rows: Math.min(rows, 64) });
  const { weights, ...speed } = await upload(gpu, matrix, { chunks: { count, sizeBytes: mebibytes * 2 ** 20 } });
  weights.free();
  tell({ chunks: text, model: source.name, ...speed });
}

function randomHalves(random: () => number): Uint8Array {
  return new Uint8Array(Uint16Array.from({ length: differentRows * columns }, () => 0x2000 + Math.floor(0x1000 * random())).buffer);
}

/** `onCpu`: unpacked and packed there, as everything is that the GPU does not repack. */
async function upload(gpu: Device, stored: StoredMatrix, { onCpu = false, chunks = usualChunks, textures = values.textures } = {}) {
  const uploader = new WeightUploader(gpu, { tileColumns: 64, texture: textures ? 'storage' : null }, limitsOf(gpu), chunks);
  await gpu.finished();
  const processorStart = process.cpuUsage();
  const startMs = performance.now();
  const weights = await uploader.upload(stored.type, [onCpu ? await unpackRows(stored) : stored]);
  await uploader.finish();
  await gpu.finished();
  const ms = performance.now() - startMs;
  const { user, system } = process.cpuUsage(processorStart);
  const bytes = rowsOf(stored) * sizeInBytes(stored.type, columns);
  return { weights, ms, processorMs: (user + system) / 1000, gigabytesPerSecond: bytes / ms / 1e6 };
}

async function sameWords(gpu: Device, a: LinearWeights, b: LinearWeights): Promise<boolean> {
  const readback = new Readback(gpu);
  const pieceBytes = 1 << 24;
  let same = true;
  for (const [part, { stores }] of a.parts.entries()) {
    for (const [index, store] of (stores as readonly GPUBuffer[]).entries()) {
      const other = b.parts[part].stores[index] as GPUBuffer;
      for (let at = 0; at < store.size && same; at += pieceBytes) {
        const count = Math.min(pieceBytes, store.size - at) / 4;
        const [found, expected] = [await readback.floats(store, at / 4, count), await readback.floats(other, at / 4, count)];
        same = Buffer.compare(new Uint8Array(found.buffer), new Uint8Array(expected.buffer)) === 0;
      }
    }
  }
  readback.free();
  return same;
}
