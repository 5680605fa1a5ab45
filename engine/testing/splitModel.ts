/** Splits a model as `llama-gguf-split` does: every part has its own header, the first one all the keys. */
import { writeGguf, type TensorToWrite, type ValueToWrite } from '../formats/gguf/testing/writeGguf.ts';
import { rawTinyModel } from './tinyModel.ts';

/** `bytes` of a `tinyModel`. */
export function splitModel(bytes: Uint8Array, count: number): Uint8Array[] {
  const { metadata, tensors } = rawTinyModel(bytes);
  const perPart = Math.ceil(tensors.length / count);
  return Array.from({ length: count }, (_, index): Uint8Array => {
    const own: TensorToWrite[] = tensors.slice(index * perPart, (index + 1) * perPart);
    const split: Record<string, ValueToWrite> = {
      'split.no': { type: 'uint16', value: index },
      'split.count': { type: 'uint16', value: count },
      'split.tensors.count': { type: 'int32', value: tensors.length },
    };
    return writeGguf({ metadata: index === 0 ? { ...metadata, ...split } : split, tensors: own });
  });
}
