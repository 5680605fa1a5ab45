import { open } from 'node:fs/promises';

/** The beginning of a file, by which its kind is known. */
export async function readFirstBytes(path: string, bytes = 1024): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
