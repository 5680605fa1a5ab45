/** A file of chats as an export writes it: one with everything that Markdown has, one of a thousand messages. */
const sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, seed: null, maxTokens: 512 };

export const formattedAnswer = `<think>
The person wants to see **everything**.
</think>

The price is $5 and not $10. Euler found that \\(e^{i\\pi} + 1 = 0\\), and Gauß that

\\[
\\int_{-\\infty}^{\\infty} e^{-x^2}\\,dx = \\sqrt{\\pi}
\\]

\`\`\`python
# The sum of the first numbers
def triangle(n: int) -> int:
    return n * (n + 1) // 2
\`\`\`

| Book | Year | Words |
|---|---:|---:|
| Moby-Dick | 1851 | 206,052 |
| Middlemarch | 1872 | 316,059 |

- [x] read
- [ ] ~~forgotten~~

> A quotation, with [a link](https://example.org) and ![a picture](https://example.org/beacon.png).`;

function chat(id: string, title: string, texts: readonly string[], updatedAtMs: number) {
  const messages = texts.map((text, index) => ({
    id: `${id}-${index}`,
    parentId: index === 0 ? null : `${id}-${index - 1}`,
    role: index % 2 === 0 ? 'user' : 'assistant',
    text,
    state: 'complete',
    failure: null,
    statistics: null,
    modelName: index % 2 === 0 ? null : 'SmolLM2 135M Instruct',
    createdAtMs: updatedAtMs + index,
  }));
  const last = messages.at(-1)?.id ?? null;
  return {
    id,
    title,
    titleIsAutomatic: false,
    createdAtMs: updatedAtMs,
    updatedAtMs,
    modelId: null,
    systemPrompt: '',
    sampling,
    policy: null,
    pinned: false,
    folder: null,
    documents: [],
    activeLeafId: last,
    messages,
    events: id === 'formats' ? [{ id: 'event', afterMessageId: last, createdAtMs: updatedAtMs, details: { kind: 'offloaded', residentTokens: 4096, offloadedTokens: 1200 } }] : [],
  };
}

/** As answers are: a formula, code that is unlike the others', a table, a quotation. */
function longAnswer(index: number): string {
  const lines = Array.from({ length: 24 }, (_, line) => `    total_${line} = weigh(${index}, ${line}) if ${line} % 3 else "${index}"  # ${line}`);
  return formattedAnswer.slice(formattedAnswer.indexOf('The price')).replace('    return', `${lines.join('\n')}\n    return`).replace('e^{-x^2}', `e^{-${index}x^2}`);
}

const hour = 3_600_000;

export function chatFile(nowMs: number) {
  const long = Array.from({ length: 1000 }, (_, index) => (index % 2 === 0 ? `Question ${index}?` : `Answer ${index}. ${'The harpooneer sleeps soundly while the ship goes on. '.repeat(1 + (index % 7))}\n\n- one\n- $x_{${index}}$${index % 8 === 1 ? `\n\n${longAnswer(index)}` : ''}`));
  return {
    format: 'longleaf-chats',
    version: 1,
    exportedAtMs: nowMs,
    conversations: [
      chat('formats', 'Everything in an answer', ['Show me everything.', formattedAnswer], nowMs - hour),
      chat('thousand', 'A thousand messages', long, nowMs - 2 * hour),
      chat('unspaced', '図書館について', ['図書館はどこですか。', '駅の前にあります。'], nowMs - 30 * hour),
    ],
  };
}
