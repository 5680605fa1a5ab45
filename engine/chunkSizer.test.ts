import { describe, expect, test } from 'vitest';
import { ChunkSizer, largestUploadShare } from './chunkSizer.ts';

const maxRows = 512;
const maxChunkRows = 4096;

/** An adapter whose chunks take as long as this; `overlap` hides uploads behind computing. */
interface Adapter {
  rowsPerMs: number;
  uploadBytesPerMs: number;
  overlap: boolean;
}

function readChunk(sizer: ChunkSizer, { rowsPerMs, uploadBytesPerMs, overlap }: Adapter, farBytes: number): { rows: number; share: number } {
  const rows = sizer.rows(farBytes);
  const computeMs = rows / rowsPerMs;
  const uploadMs = farBytes / uploadBytesPerMs;
  const elapsedMs = overlap ? Math.max(computeMs, uploadMs) : computeMs + uploadMs;
  sizer.note({ rows, elapsedMs, upload: { bytes: farBytes, ms: uploadMs } });
  return { rows, share: (elapsedMs - computeMs) / elapsedMs };
}

describe.each([true, false])('uploads that overlap with computing: %s', (overlap) => {
  test.each([
    { rowsPerMs: 5, uploadBytesPerMs: 8e6, farBytes: 1e9 },
    { rowsPerMs: 2, uploadBytesPerMs: 1e6, farBytes: 3e8 },
    { rowsPerMs: 0.08, uploadBytesPerMs: 2e6, farBytes: 1e9 },
  ])('chunks of $farBytes far bytes at $rowsPerMs rows and $uploadBytesPerMs bytes a ms spend at most their share on them', ({ farBytes, ...speeds }) => {
    const sizer = new ChunkSizer('gpu', maxRows, maxChunkRows);
    const chunks = Array.from({ length: 12 }, () => readChunk(sizer, { ...speeds, overlap }, farBytes));
    const last = chunks[chunks.length - 1];
    expect(last.share).toBeLessThanOrEqual(largestUploadShare + 0.02);
    // No larger than it takes.
    expect(last.rows).toBeLessThan(Math.max(maxRows, (farBytes / speeds.uploadBytesPerMs) * speeds.rowsPerMs * 4));
  });
});

test('chunks grow with what is far, as far as the rings have room', () => {
  const sizer = new ChunkSizer('gpu', maxRows, maxChunkRows);
  const adapter = { rowsPerMs: 5, uploadBytesPerMs: 5e6, overlap: false };
  const rows = [0, 5e8, 1e9, 2e9, 8e9].map((farBytes) => {
    for (let i = 0; i < 8; i++) readChunk(sizer, adapter, farBytes);
    return sizer.rows(farBytes);
  });
  expect(rows[0]).toBeLessThanOrEqual(maxRows);
  for (let i = 1; i < rows.length; i++) expect(rows[i]).toBeGreaterThanOrEqual(rows[i - 1]);
  expect(rows[3]).toBeGreaterThan(2 * maxRows);
  expect(rows[4]).toBe(maxChunkRows);
});

test('with nothing far, chunks take a tenth of a second on a GPU, in whole tiles where it is fast enough', () => {
  const sizer = new ChunkSizer('gpu', maxRows, maxChunkRows);
  expect(sizer.rows()).toBe(256);
  sizer.note({ rows: 256, elapsedMs: 64 });
  expect(sizer.rows()).toBe(256);
  sizer.note({ rows: 256, elapsedMs: 1 });
  expect(sizer.rows()).toBe(maxRows);
  const slow = new ChunkSizer('gpu', maxRows, maxChunkRows);
  slow.note({ rows: 256, elapsedMs: 256 });
  expect(slow.rows()).toBe(64);
});

test('on a GPU a text’s end is read in whole tiles, however fast the adapter was', () => {
  for (const elapsedMs of [1, 20, 34, 60, 95, 150, 190]) {
    const sizer = new ChunkSizer('gpu', maxRows, maxChunkRows);
    sizer.note({ rows: 256, elapsedMs });
    for (let length = 1; length < 1200; length++) {
      const chunks: number[] = [];
      for (let left = length; left > 0; left -= chunks[chunks.length - 1]) chunks.push(sizer.chunkOf(left));
      expect(chunks.reduce((sum, rows) => sum + rows, 0)).toBe(length);
      expect(Math.min(...chunks), `${length} in ${chunks.join(' + ')}`).toBeGreaterThanOrEqual(Math.min(65, length));
    }
  }
  const software = new ChunkSizer('software', maxRows);
  expect(software.chunkOf(33)).toBe(software.rows());
});
