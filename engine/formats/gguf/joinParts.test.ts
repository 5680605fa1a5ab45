import { expect, test } from 'vitest';
import { describeModel } from '../../models/registry.ts';
import { splitModel } from '../../testing/splitModel.ts';
import { tinyModel } from '../../testing/tinyModel.ts';
import { joinParts } from './joinParts.ts';
import { readGguf } from './readGguf.ts';
import { memorySource } from './testing/memorySource.ts';

const whole = tinyModel({ architecture: 'llama', layers: 3 });
const parts = splitModel(whole, 3).map((bytes, index) => memorySource(bytes, `tiny-0000${index + 1}-of-00003.gguf`));

test('the parts of a split model read as one file: the same keys, the same tensors', async () => {
  const joined = await readGguf(await joinParts(parts));
  const single = await readGguf(memorySource(whole));
  expect([...joined.tensors.keys()]).toEqual([...single.tensors.keys()]);
  expect(describeModel(joined)).toEqual(describeModel(single));
  for (const [name, { offsetBytes, sizeBytes }] of single.tensors) {
    const other = joined.tensors.get(name);
    expect(await joined.source.read(other?.offsetBytes ?? -1, other?.sizeBytes ?? 0)).toEqual(await single.source.read(offsetBytes, sizeBytes));
  }
});

test('one part alone, parts in another order and a part that was cut are refused', async () => {
  const [first, second, third] = parts;
  await expect(readGguf(second)).rejects.toThrow('tiny-00002-of-00003.gguf is part 2 of a model split into 3 files, and is of no use alone.');
  await expect(joinParts([first, third, second])).rejects.toThrow('tiny-00003-of-00003.gguf says that it is part 3 of 3, but it was taken for part 2 of 3.');
  await expect(joinParts([first, second])).rejects.toThrow('taken for part 1 of 2');
  const cut = memorySource((await second.read(0, second.sizeBytes)).slice(0, -200), second.name);
  await expect(joinParts([first, cut, third])).rejects.toThrow('ends too early');
});
