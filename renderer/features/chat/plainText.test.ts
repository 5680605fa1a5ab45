import { describe, expect, it } from 'vitest';
import { plainText } from './plainText.ts';

describe('plainText', () => {
  it('leaves words and drops marks', () => {
    expect(plainText('## Of *her*\n\n1. **Bold** and `code`\n- [x] done\n> quoted')).toBe('Of her Bold and code done quoted');
    expect(plainText('See [the text](https://example.org) and ![a portrait](x.png).')).toBe('See the text and a portrait.');
    expect(plainText('| a | b |\n| --- | --- |\n| 1 | 2 |')).toBe('a b 1 2');
    expect(plainText('```sql\nSELECT word;\n```')).toBe('SELECT word;');
    expect(plainText('snake_case 2 - 1 stays')).toBe('snake_case 2 - 1 stays');
  });
});
