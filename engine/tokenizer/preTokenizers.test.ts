import { describe, expect, it } from 'vitest';
import { preTokenizers } from './preTokenizers.ts';
import { splitText } from './splitText.ts';

function pieces(name: string, text: string): string[] {
  const found: string[] = [];
  splitText(text, preTokenizers.get(name)?.stages ?? [], (piece) => found.push(piece));
  return found;
}

const text = "He'LL pay  $1234.5\n\n  NOW,getHTTPUrl it's";

describe('pre-tokenizers', () => {
  it.each([
    ['gpt-2', ['He', "'", 'LL', ' pay', ' ', ' $', '1234', '.', '5', '\n\n ', ' NOW', ',', 'getHTTPUrl', ' it', "'s"]],
    ['smollm', ['He', "'", 'LL', ' pay', ' ', ' $', '1', '2', '3', '4', '.', '5', '\n\n ', ' NOW', ',', 'getHTTPUrl', ' it', "'s"]],
    ['qwen2', ['He', "'LL", ' pay', ' ', ' $', '1', '2', '3', '4', '.', '5', '\n\n', ' ', ' NOW', ',getHTTPUrl', ' it', "'s"]],
    ['llama-bpe', ['He', "'LL", ' pay', ' ', ' $', '123', '4', '.', '5', '\n\n', ' ', ' NOW', ',getHTTPUrl', ' it', "'s"]],
    ['gpt-4o', ["He'LL", ' pay', ' ', ' $', '123', '4', '.', '5', '\n\n', ' ', ' NOW', ',get', 'HTTPUrl', " it's"]],
    ['tekken', ['He', "'LL", ' pay', ' ', ' $', '1', '2', '3', '4', '.', '5', '\n\n', ' ', ' NOW', ',get', 'HTTPUrl', ' it', "'s"]],
    ['default', ['He', "'", 'LL', ' pay', '  ', '$', '123', '4', '.', '5', '\n\n ', ' NOW', ',', 'getHTTPUrl', ' it', "'", 's']],
  ])('%s cuts as published', (name, expected) => {
    expect(pieces(name, text)).toEqual(expected);
  });

  it('qwen35 keeps a mark with its letter, which qwen2 cuts off', () => {
    expect(pieces('qwen35', 'नमस्ते')).toEqual(['नमस्ते']);
    expect(pieces('qwen2', 'नमस्ते').length).toBeGreaterThan(1);
  });

  it('takes U+0085 for white space and U+FEFF for none', () => {
    expect(pieces('gpt-2', 'a\u0085b')).toEqual(['a', '\u0085', 'b']);
    expect(pieces('gpt-2', 'a \uFEFFb')).toEqual(['a', ' \uFEFF', 'b']);
  });

  it.each([...preTokenizers.keys()])('%s loses nothing', (name) => {
    const awkward = `${text}\r\n\t \u0000\u0085\u00a0é\u0301中文、😀👩‍👧 ½¾ \uFEFF end   `;
    expect(pieces(name, awkward).join('')).toBe(awkward);
  });
});
