/** Queries and keys of a model's layers as files: NAME.json, NAME.LAYER.queries, NAME.LAYER.keys (f32, little endian). */
import { readFileSync, writeFileSync } from 'node:fs';

export interface DumpShape {
  model: string;
  /** Tokens that were read, and decoded after them. */
  want: number;
  decode: number;
  heads: number;
  kvHeads: number;
  dim: number;
  layers: number[];
}

export interface LayerDump {
  /** [want + decode][heads][dim], after rotation and scaling. */
  queries: Float32Array;
  /** [kvHeads][want][dim]. */
  keys: Float32Array;
}

export function writeShape(target: string, shape: DumpShape): void {
  writeFileSync(`${target}.json`, JSON.stringify(shape));
}

export function readShape(source: string): DumpShape {
  return JSON.parse(readFileSync(`${source}.json`, 'utf8')) as DumpShape;
}

export function writeLayer(target: string, layer: number, { queries, keys }: LayerDump): void {
  writeFileSync(`${target}.${layer}.queries`, bytesOf(queries));
  writeFileSync(`${target}.${layer}.keys`, bytesOf(keys));
}

export function readLayer(source: string, layer: number): LayerDump {
  return { queries: floatsOf(readFileSync(`${source}.${layer}.queries`)), keys: floatsOf(readFileSync(`${source}.${layer}.keys`)) };
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function floatsOf(bytes: Buffer): Float32Array {
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
