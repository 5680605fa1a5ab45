/**
 * The most an untrusted header may ask for. Each is far above any published model (the largest
 * headers today are about 12 MB, with 262144 tokens) and far below what would hurt.
 */
export const maximumHeaderBytes = 128 * 2 ** 20;
export const maximumStringBytes = 16 * 2 ** 20;
export const maximumArrayElements = 2 ** 24;
export const maximumKeys = 100_000;
export const maximumTensors = 1_000_000;
/** "GGUF specification": keys are at most 65535 bytes, tensor names at most 64. */
export const maximumKeyBytes = 65_535;
export const maximumTensorNameBytes = 64;
