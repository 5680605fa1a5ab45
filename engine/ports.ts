/**
 * What the engine needs from the world around it. The engine itself is pure TypeScript over a
 * `GPUDevice`; files, threads and clocks are injected through these interfaces.
 */

/** Random access to the bytes of a model file. */
export interface WeightSource {
  /** A name for messages, without its folder. */
  readonly name: string;
  readonly sizeBytes: number;
  /** How many files of a split model are read as this one. */
  readonly joinedParts?: number;
  /** Reads exactly `lengthBytes` bytes from `offsetBytes`; rejects when the range passes the end. */
  read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array>;
  /** The same straight into memory that is there, where that saves a copy. */
  readInto?(offsetBytes: number, target: Uint8Array): Promise<void>;
}

/** How to wait for the GPU without starving it: a busy poll takes cores from a software adapter. */
export interface Waiter {
  /** Resolves when `work` has settled; may sleep between polls. */
  settle<T>(work: Promise<T>): Promise<T>;
  /** Lets whatever else the thread has to do have its turn. */
  turn(): Promise<void>;
}

/** Short stretches of something, and where each goes in memory that threads share. */
export interface Stretches {
  offsetsBytes: readonly number[];
  placesBytes: readonly number[];
}

/** Of stretches: how long each is, and the memory. */
export interface SharedTarget {
  lengthBytes: number;
  memory: SharedArrayBuffer;
}

/** Where sealed keys and values go beyond RAM: named runs of bytes that never change. */
export interface BlockStore {
  /** Resolves when the bytes are safe to read back. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** The given ranges of one run, in their order; the store may join neighbours. Rejects past the end. */
  read(name: string, ranges: readonly { offsetBytes: number; lengthBytes: number }[]): Promise<Uint8Array[]>;
  /** Short ones of many runs, by other threads; when it settles nothing is written to the target any more. */
  readShared?(runs: readonly (Stretches & { name: string })[], target: SharedTarget): Promise<void>;
  remove(name: string): Promise<void>;
}

/** A stretch of what was read, kept outside the engine. It never changes. */
export interface KeptSegment {
  /** Of its first token in the sequence. */
  position: number;
  tokenCount: number;
  /** Bytes of each part, by name (`engine/kept/parts.ts`). */
  parts: ReadonlyMap<string, number>;
  /** The given ranges, in their order. Rejects rather than give a wrong byte. */
  read(ranges: readonly { part: string; offsetBytes: number; lengthBytes: number }[]): Promise<Uint8Array[]>;
  /** The same straight into memory that is there, where that saves a copy; when it settles nothing is written any more. */
  readInto?(ranges: readonly { part: string; offsetBytes: number; lengthBytes: number }[], targets: readonly Uint8Array[]): Promise<void>;
  /** Short ones of some parts, by other threads; as careful as `read`, and when it settles nothing is written to the target any more. */
  readShared?(parts: readonly (Stretches & { part: string })[], target: SharedTarget): Promise<void>;
}

/** Where segments are kept. */
export interface SegmentSink {
  /** Resolves when the segment, which follows the one sealed before, is durable. */
  seal(segment: { position: number; tokens: Uint32Array; parts: readonly { name: string; bytes: Uint8Array }[] }): Promise<KeptSegment>;
}

/** CPU jobs on shared memory: WebAssembly programs, called on several threads at once. */
export interface WorkerPool {
  /** How many threads may call at once; each has a number below this. */
  readonly threads: number;
  /** Gives every thread an instance of `module`, whose only import is `env.memory`. */
  open(module: WebAssembly.Module, memory: WebAssembly.Memory): SharedProgram;
}

export interface SharedProgram {
  /**
   * Calls an exported function once for each list of numbers, on any thread and in any order, with the thread's number
   * before them; resolves with what the calls returned, in the order of `calls`. Rejects when one of them traps.
   */
  call(name: string, calls: readonly (readonly number[])[]): Promise<number[]>;
  close(): void;
}

/** Memory that several threads know by its number. */
export interface SharedBlock {
  readonly number: number;
  readonly buffer: SharedArrayBuffer;
}

export interface RunCopy {
  /** Block of u32 [run](source block, first word in it, place of its first word in the target). */
  runs: number;
  count: number;
  /** Words of each run. */
  runWords: number;
  /** Block that is written; runs must not overlap there. */
  target: number;
}

/** Many short runs of words, from anywhere in memory to one place, on several threads. */
export interface SharedCopies {
  /** Fewer runs than this are copied sooner by the calling thread alone. */
  readonly fewestRuns: number;
  /** A block of `sizeBytes`, whole words; what is in it is anything. Throws RangeError when there is no memory. */
  allocate(sizeBytes: number): SharedBlock;
  /** Gives a block back, which copies that have begun may still read. Its memory is free a moment later. */
  release(block: number): void;
  /**
   * Begins to copy. The runs, their sources and the target must be left alone until the returned function, which may
   * take part in the copying, has resolved. Throws RangeError where a block or a number of runs is none.
   */
  begin(copy: RunCopy): () => Promise<void>;
}

/** One long copy: what `from` holds, one behind the other, to `to`, which is as long. */
export interface LongCopy {
  from: readonly Uint8Array[];
  to: Uint8Array;
}

/** Long copies from or to memory that only the calling thread has, e.g. what is mapped of the GPU, made by other threads. */
export interface LongCopies {
  /** Less than this is copied sooner by the calling thread. */
  readonly fewestBytes: number;
  /** Both sides must be left alone until it has resolved. Throws RangeError where they differ in length. */
  copy(copy: LongCopy): Promise<void>;
}
