/** Numbers of the contract, which travel as base64. */
function bytesOf(base64: string): ArrayBuffer {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes.buffer;
}

export function floatsOf(base64: string): Float32Array {
  return new Float32Array(bytesOf(base64));
}

export function wordsOf(base64: string): Uint32Array {
  return new Uint32Array(bytesOf(base64));
}

/** Shares in 65 535ths. */
export function sharesOf(base64: string): Float32Array {
  return Float32Array.from(new Uint16Array(bytesOf(base64)), (share) => share / 65_535);
}
