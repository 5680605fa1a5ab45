import { expect, test } from 'vitest';
import { namesOf } from './modelNames.ts';

const model = (id: string, name: string, quantisation: string, fileName = `${id}.gguf`) => ({ id, name, quantisation, fileName });

test('a model is called by its name; two of one name by what tells them apart', () => {
  const models = [model('1', 'Small', 'Q4_1'), model('2', 'Large', 'Q4_0'), model('3', 'Large', 'Q8_0'), model('4', 'Copied', 'Q8_0', 'a.gguf'), model('5', 'Copied', 'Q8_0', 'b.gguf')];
  expect([...namesOf(models).values()]).toEqual(['Small', 'Large · Q4_0', 'Large · Q8_0', 'Copied · Q8_0 · a.gguf', 'Copied · Q8_0 · b.gguf']);
});
