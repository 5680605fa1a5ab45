/**
 * Files of memories that were changed, with checksums that fit all the same: a manifest or a reference is read, or is a
 * named damage, quickly; what a manifest says never makes more be allocated than its file is long.
 * LONGLEAF_FUZZ_CASES (and LONGLEAF_FUZZ_SEED) hunts longer.
 */
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { cpuMilliseconds } from '../../engine/formats/gguf/testing/cpuMilliseconds.ts';
import { changeJson, changeText } from '../testing/jsonFuzz.ts';
import { seededRandom } from '../testing/memoryParts.ts';
import { blockBytes } from './blocks.ts';
import { MemoryDamagedError } from './failures.ts';
import type { FileSystem, ReadableFile } from './fileSystem.ts';
import { decodeRecord, encodeRecord } from './records.ts';
import { reference } from './references.ts';
import { manifest } from './segmentFormat.ts';
import { SegmentReader } from './segmentReader.ts';

const cases = Number(process.env['LONGLEAF_FUZZ_CASES'] ?? 4000);
const firstSeed = Number(process.env['LONGLEAF_FUZZ_SEED'] ?? 1);
const slowestMs = 250;
const key = 'c'.repeat(64);
/** of the data that lies beside every manifest. */
const dataBytes = 3 * (blockBytes + 4);

const manifestOfFile = { format: 1, key, parent: null, fingerprint: 'f', position: 0, tokenCount: 512, createdAtMs: 1, parts: [['tokens', 2048], ['keys.0', 8000]], tableChecksum: crc32(new Uint8Array((4 * dataBytes) / (blockBytes + 4))) };
const referenceOfFile = { format: 1, owner: 'document:a', leaves: [key, key], title: 'A', modelName: null };

/** A file of zeros that notes the largest piece that was asked for. */
function zeros(): { files: FileSystem; largestRead: () => number } {
  let largest = 0;
  const file: ReadableFile = {
    read: async (into) => {
      largest = Math.max(largest, into.byteLength);
      return into.byteLength;
    },
    close: async () => undefined,
  };
  const files = { openFile: async () => file, stat: async () => ({ sizeBytes: dataBytes, modifiedAtMs: 0 }) } as Partial<FileSystem> as FileSystem;
  return { files, largestRead: () => largest };
}

/** With the checksum of what it says now, most of the time. */
function spoil(value: typeof manifestOfFile | typeof referenceOfFile, seed: number): Uint8Array {
  const random = seededRandom(seed);
  const share = [0.01, 0.05, 0.3][seed % 3] ?? 0;
  const bytes = Buffer.from(encodeRecord(changeJson(JSON.parse(JSON.stringify(value)), random, share)));
  if (random() < 0.5) return bytes;
  const text = changeText(bytes.toString('utf8', 0, bytes.length - 9), random);
  if (random() < 0.3) return Buffer.from(changeText(bytes.toString('utf8'), random));
  const line = Buffer.from(text);
  return Buffer.concat([line, Buffer.from(`${crc32(line).toString(16).padStart(8, '0')}\n`)]);
}

test(`${cases} changed files of memories`, { timeout: 30_000 + cases }, async () => {
  const outcomes = { read: 0, opened: 0, damaged: 0 };
  const { files, largestRead } = zeros();
  for (let seed = firstSeed; seed < firstSeed + cases; seed += 1) {
    const isManifest = seed % 2 === 0;
    const bytes = spoil(isManifest ? manifestOfFile : referenceOfFile, seed);
    const read = async (): Promise<void> => {
      if (!isManifest) {
        decodeRecord(bytes, reference, { key: null, file: 'reference' });
        outcomes.read += 1;
        return;
      }
      const found = decodeRecord(bytes, manifest, { key: null, file: 'manifest' });
      outcomes.read += 1;
      await (await SegmentReader.open(files, 'folder', 'folder', found)).close();
      outcomes.opened += 1;
    };
    const attempt = (): Promise<void> =>
      read().catch((error: unknown) => {
        if (!(error instanceof MemoryDamagedError)) throw new Error(`Seed ${seed} failed: ${Buffer.from(bytes).toString('utf8')}`, { cause: error });
        outcomes.damaged += 1;
      });
    const startMs = performance.now();
    await attempt();
    // A busy machine may pause any case; one that is really slow also takes the processor.
    if (performance.now() - startMs > slowestMs) expect(await cpuMilliseconds(attempt), `milliseconds of seed ${seed}`).toBeLessThan(slowestMs);
  }
  expect(outcomes.opened).toBeGreaterThan(0);
  expect(outcomes.damaged).toBeGreaterThan(0);
  expect(largestRead()).toBeLessThanOrEqual(dataBytes);
  if (process.env['LONGLEAF_FUZZ_CASES']) console.log(`memory files: ${cases} cases, ${JSON.stringify(outcomes)}`);
});
