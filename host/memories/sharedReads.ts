/**
 * Short reads of open files to shared memory, as one thread tells them to another: many in one message, as numbers,
 * because a step of decoding may ask for thousands. Threads load this and nothing else of the format but `blocks.ts`.
 */
import { readSync } from 'node:fs';
import type { SharedTarget, Stretches } from '../../engine/ports.ts';
import { blockBytes, blockChecksum } from './blocks.ts';

/** What the blocks of a file are compared with: all its checksums, little-endian u32 each, and the segment's key. */
export interface BlockChecks {
  checksums: Uint8Array;
  key: string;
}

/** Reads of one open file; with `checks` every block that is touched must be right. */
export interface FileReads extends Stretches {
  descriptor: number;
  target: SharedTarget;
  checks: BlockChecks | null;
}

export interface SharedReadsRequest {
  number: number;
  targets: SharedArrayBuffer[];
  /** Keys of segments whose blocks are checked. */
  keys: string[];
  /**
   * Of each file: descriptor, target, bytes of a read, key (-1: nothing is checked), reads; then of each read its offset
   * and place, and the checksum of each block that it touches.
   */
  numbers: Float64Array;
}

export interface SharedReadsReply {
  number: number;
  /** In the order of the files: 1 where all was read and right. */
  rightFiles: Uint8Array;
}

export function encodeReads(number: number, files: readonly FileReads[]): SharedReadsRequest {
  const targets: SharedArrayBuffer[] = [];
  const keys: string[] = [];
  const numbers: number[] = [];
  for (const { descriptor, target: { lengthBytes, memory }, checks, offsetsBytes, placesBytes } of files) {
    numbers.push(descriptor, placeIn(targets, memory), lengthBytes, checks ? placeIn(keys, checks.key) : -1, offsetsBytes.length);
    const table = checks && new DataView(checks.checksums.buffer, checks.checksums.byteOffset, checks.checksums.byteLength);
    for (const [index, offsetBytes] of offsetsBytes.entries()) {
      numbers.push(offsetBytes, placesBytes[index]);
      if (!table) continue;
      const { first, end } = blocksOf(offsetBytes, lengthBytes);
      for (let block = first; block < end; block++) numbers.push(table.getUint32(4 * block, true));
    }
  }
  return { number, targets, keys, numbers: Float64Array.from(numbers) };
}

/** Does what was asked for. What goes wrong with a file is told where it is read again. */
export function performReads({ number, targets, keys, numbers }: SharedReadsRequest): SharedReadsReply {
  const right: number[] = [];
  for (let at = 0; at < numbers.length; ) {
    const [descriptor, target, lengthBytes, key, count] = numbers.subarray(at, at + 5);
    const bytes = new Uint8Array(targets[target]);
    at += 5;
    let isRight = true;
    for (let read = 0; read < count; read++) {
      const [offsetBytes, placeBytes] = numbers.subarray(at, at + 2);
      at += 2;
      const place = bytes.subarray(placeBytes, placeBytes + lengthBytes);
      isRight &&= place.length === lengthBytes;
      if (key < 0) {
        isRight &&= readWhole(descriptor, place, offsetBytes);
        continue;
      }
      const { first, end } = blocksOf(offsetBytes, lengthBytes);
      const checksums = numbers.subarray(at, at + end - first);
      at += end - first;
      isRight &&= readChecked(descriptor, place, offsetBytes, { first, checksums, key: keys[key] });
    }
    right.push(Number(isRight));
  }
  return { number, rightFiles: Uint8Array.from(right) };
}

/** As long as the most blocks that a read has touched. */
let scratch = new Uint8Array(2 * blockBytes);

function readChecked(descriptor: number, place: Uint8Array, offsetBytes: number, { first, checksums, key }: { first: number; checksums: Float64Array; key: string }): boolean {
  const sizeBytes = checksums.length * blockBytes;
  if (scratch.length < sizeBytes) scratch = new Uint8Array(sizeBytes);
  const bytes = scratch.subarray(0, sizeBytes);
  if (!readWhole(descriptor, bytes, first * blockBytes)) return false;
  for (const [index, checksum] of checksums.entries()) {
    if (blockChecksum(key, first + index, bytes.subarray(index * blockBytes, (index + 1) * blockBytes)) !== checksum) return false;
  }
  const within = offsetBytes - first * blockBytes;
  place.set(bytes.subarray(within, within + place.length));
  return true;
}

/** Whether all of `target` was there. */
export function readWhole(descriptor: number, target: Uint8Array, offsetBytes: number): boolean {
  try {
    for (let done = 0; done < target.length; ) {
      const count = readSync(descriptor, target, done, target.length - done, offsetBytes + done);
      if (count === 0) return false;
      done += count;
    }
    return true;
  } catch {
    return false;
  }
}

function blocksOf(offsetBytes: number, lengthBytes: number): { first: number; end: number } {
  return { first: Math.floor(offsetBytes / blockBytes), end: Math.ceil((offsetBytes + lengthBytes) / blockBytes) };
}

function placeIn<T>(list: T[], item: T): number {
  const last = list.length - 1;
  // Neighbours mostly share theirs.
  if (list[last] === item) return last;
  const place = list.indexOf(item);
  return place >= 0 ? place : list.push(item) - 1;
}
