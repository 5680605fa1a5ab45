/** Made-up records for screenshots of the interface. */
import {
  type AdapterReport,
  type AnswerStatistics,
  type CatalogueEntry,
  type DocumentRecord,
  type LayerGroup,
  type MachineReport,
  type MemoryRecord,
  type Message,
  type ModelRecord,
  type PolicyOutcome,
  type Reading,
  defaultSampling,
} from '../../host/contract/entities.ts';
import type { Verdict } from '../../host/contract/hub.ts';
import { conversationOf, messageOf } from './scriptedHost.ts';

const hourMs = 3_600_000;
export const startedAtMs = Date.now();

export const adapter: AdapterReport = {
  name: 'llvmpipe: Mesa 25.0.7 (LLVM 19.1.7)',
  shortName: 'llvmpipe (software)',
  vendor: 'mesa',
  architecture: 'lavapipe',
  driver: 'Mesa 25.0.7',
  kind: 'software',
  features: ['shader-f16', 'subgroups', 'timestamp-query'],
  limits: { maxBufferSize: 2_147_483_647, maxStorageBufferBindingSize: 134_217_728, maxComputeWorkgroupStorageSize: 32_768 },
  advice: 'Answers would be many times faster on a graphics processor: if this machine has one, install its Vulkan driver and restart Longleaf.',
};

export const machine: MachineReport = {
  platform: 'linux',
  cpuModel: 'AMD Ryzen 7 5800X',
  cpuCores: 8,
  memoryBytes: 33_600_000_000,
  freeMemoryBytes: 21_200_000_000,
  dataFolder: '/home/reader/.local/share/longleaf',
  diskFreeBytes: 184_000_000_000,
  versions: { longleaf: '0.1.0', node: '26.10.0', dawn: '0.6.2', sqlite: '3.53.0' },
};

const apache = { name: 'Apache 2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' };

export const catalogue: CatalogueEntry[] = [
  {
    id: 'smollm2-135m',
    name: 'SmolLM2 135M Instruct',
    description: 'Small and quick: starts at once on any machine and finds facts in texts of up to a few thousand words. For longer reasoning take a larger one.',
    fileName: 'SmolLM2-135M-Instruct-Q8_0.gguf',
    sizeBytes: 144_811_072,
    sha256: 'a'.repeat(64),
    contextTokens: 8192,
    licence: apache,
    starter: true,
    facts: { parameters: 134_515_008, chat: true, weightsBytes: 144_000_000, kvBytesPerToken: 23_040, fixedBytes: 9_000_000 },
    sources: [{ kind: 'hub', repository: 'org/model', revision: 'main', path: 'model.gguf' }],
  },
  {
    id: 'gemma-3-270m',
    name: 'Gemma 3 270M',
    description: 'A base model with a long window of 32,768 tokens. It continues text rather than chatting.',
    fileName: 'gemma-3-270m-Q4_1.gguf',
    sizeBytes: 253_115_424,
    sha256: 'b'.repeat(64),
    contextTokens: 32_768,
    licence: { name: 'Gemma Terms of Use', url: 'https://ai.google.dev/gemma/terms' },
    starter: false,
    facts: { parameters: 268_098_176, chat: false, weightsBytes: 250_000_000, kvBytesPerToken: 3072, fixedBytes: 40_000_000 },
    sources: [{ kind: 'hub', repository: 'org/model', revision: 'main', path: 'model.gguf' }],
  },
];

export function modelFor(entry: CatalogueEntry, change: Partial<ModelRecord> = {}): ModelRecord {
  return {
    id: entry.id,
    name: entry.name,
    fileName: entry.fileName,
    architecture: 'llama',
    quantisation: 'Q8_0',
    parameters: 134_515_008,
    sizeBytes: entry.sizeBytes,
    sha256: entry.sha256,
    contextTokens: entry.contextTokens,
    chat: true,
    licence: entry.licence,
    state: 'ready',
    place: null,
    owned: true,
    addedAtMs: startedAtMs,
    ...change,
  };
}

export const models: ModelRecord[] = [
  modelFor(catalogue[0]),
  modelFor({ ...catalogue[1], name: 'Gemma 3 270M (my copy)' }, { id: 'mine', architecture: 'gemma3', quantisation: 'Q4_1', parameters: 268_098_176, sha256: 'c'.repeat(64), chat: false, licence: null, state: 'missing' }),
];

const paragraph =
  'Miss Brooke had that kind of beauty which seems to be thrown into relief by poor dress. Her hand and wrist were so finely formed that she could wear sleeves not less bare of style than those in which the Blessed Virgin appeared to Italian painters; and her profile as well as her stature and bearing seemed to gain the more dignity from her plain garments, which by the side of provincial fashion gave her the impressiveness of a fine quotation from the Bible,—or from one of our elder poets,—in a paragraph of to-day’s newspaper.';
export const documentText = `MIDDLEMARCH\n\nBY GEORGE ELIOT\n\nBook I. Miss Brooke.\n\nCHAPTER I.\n\n“Since I can do no good because a woman,\nReach constantly at something that is near it.\n—The Maid’s Tragedy: BEAUMONT AND FLETCHER.”\n\n${Array.from({ length: 28 }, (_, index) => `${paragraph} She was usually spoken of as being remarkably clever, but with the addition that her sister Celia had more common-sense. [${index + 1}]`).join('\n\n')}`;

export function documentOf(id: string, name: string, change: Partial<DocumentRecord> = {}): DocumentRecord {
  return {
    id,
    name,
    format: name.endsWith('.md') ? 'markdown' : 'text',
    unit: 'part',
    pages: 6,
    sizeBytes: documentText.length + 900,
    keptBytes: documentText.length + 2_900,
    characters: documentText.length,
    sha256: 'd'.repeat(64),
    notices: [],
    addedAtMs: startedAtMs,
    ...change,
  };
}

export const documents: DocumentRecord[] = [
  documentOf('middlemarch', 'Middlemarch, Book I.txt', { notices: ['3 bytes were not valid UTF-8 and were replaced by “�”.'] }),
  documentOf('notes', 'Reading notes.md', { sizeBytes: 8_210, characters: 8_102 }),
];

const memoryOf = (id: string, change: Partial<MemoryRecord>): MemoryRecord => ({
  id: id.repeat(64).slice(0, 64),
  users: [],
  modelName: 'SmolLM2 135M Instruct',
  tokens: 5_890,
  sparseReading: null,
  bytes: 271_000_000,
  freedBytes: 271_000_000,
  createdAtMs: startedAtMs - 50 * hourMs,
  lastUsedAtMs: startedAtMs - hourMs,
  state: 'ready',
  ...change,
});

export const memories: MemoryRecord[] = [
  memoryOf('a', { users: [{ kind: 'conversation', id: 'c1', name: 'How is Dorothea introduced?' }], tokens: 7_412, bytes: 341_000_000, freedBytes: 70_000_000, createdAtMs: startedAtMs - 4 * hourMs }),
  memoryOf('b', { users: [{ kind: 'document', id: 'middlemarch', name: 'Middlemarch, Book I.txt' }], freedBytes: 0 }),
  memoryOf('c', { users: [{ kind: 'reading', id: 'war', name: 'War and Peace.txt' }], modelName: 'Gemma 3 270M', tokens: 412_160, sparseReading: { share: 0.25, fromTokens: 65_536 }, bytes: 7_590_000_000, freedBytes: 7_590_000_000, createdAtMs: startedAtMs - 30 * hourMs, lastUsedAtMs: startedAtMs - 26 * hourMs, state: 'reading' }),
  memoryOf('d', { users: [{ kind: 'document', id: 'notes', name: 'Reading notes.md' }], tokens: 2_032, bytes: 93_500_000, freedBytes: 93_500_000, createdAtMs: startedAtMs - 900 * hourMs, lastUsedAtMs: startedAtMs - 800 * hourMs, state: 'damaged' }),
];

export const readings: Reading[] = [
  { id: 'reading1', documentId: 'notes', modelId: 'smollm2-135m', state: 'paused', doneTokens: 1_024, totalTokens: 2_032, tokensPerSecond: null, secondsLeft: null, failure: null },
];

export const longAnswer = `Dorothea is introduced through **contrast**: plain dress against fine form, and her own ardour against her sister’s common sense.

## What the text says of her

1. Her beauty “seems to be thrown into relief by poor dress”.
2. She is “usually spoken of as being remarkably clever”.
3. Her mind is *theoretic*, and yearns for some lofty conception of the world.

| Sister | Spoken of as | Dress |
| --- | --- | --- |
| Dorothea | remarkably clever | plain garments |
| Celia | has more common-sense | scarcely more trimmings |

> Her profile as well as her stature and bearing seemed to gain the more dignity from her plain garments.

A small count of the words used, as a query:

\`\`\`sql
SELECT word, count(*) AS uses
FROM words
WHERE chapter = 1
GROUP BY word;
\`\`\`

The chapter is at [Project Gutenberg](https://www.gutenberg.org/ebooks/145). <script>alert('text, not markup')</script> ![a portrait](https://example.org/portrait.png)

- [x] Chapter I read
- [ ] Chapter II still to be read
`;

/** As of a hybrid, so that every line about layers is there to be seen. */
export const layerGroups: LayerGroup[] = [
  { kind: 'linear', mechanism: 'gated delta', layers: [0, 2, 4, 6, 8, 10], reachTokens: 0, budgetTokens: null, stateBytes: 1_122_304 },
  { kind: 'evicting', mechanism: null, layers: [1, 3], reachTokens: 769, budgetTokens: 512, stateBytes: 5_326_848 },
  { kind: 'sliding', mechanism: null, layers: [5], reachTokens: 1024, budgetTokens: null, stateBytes: null },
  { kind: 'full', mechanism: null, layers: [7, 9, 11], reachTokens: null, budgetTokens: null, stateBytes: null },
];

const needed = { neededBytes: 420_000_000, availableBytes: 24_000_000_000 };

export const verdict: Verdict = {
  level: 'fits',
  reason: '8,192 tokens take 420 MB of memory; everything fits there.',
  architecture: 'llama',
  quantisation: 'Q8_0',
  parameters: 134_515_008,
  contextTokens: 8192,
  longestContextTokens: 8192,
  weightsBytes: 145_000_000,
  kv: { gpuBytes: 188_000_000, ramBytes: 0, diskBytes: 0 },
  workingBytes: 87_000_000,
  layers: layerGroups,
  gpu: { ...needed, neededBytes: 0 },
  ram: needed,
  disk: { ...needed, neededBytes: 0 },
  downloadBytes: 0,
  headerBytes: 0,
};

/** What a prompt beyond the GPU's share is like, without loading a book. */
const far: PolicyOutcome = {
  name: 'sketch',
  totalKeys: 6_630,
  exactKeys: 1_452,
  estimatedKeys: 5_178,
  missedKeys: 0,
  droppedKeys: 0,
  droppedBecause: null,
  hitRatio: 0.86,
  gpuBytes: 104_000_000,
  ramBytes: 152_000_000,
  diskBytes: 61_000_000,
  ramReadBytes: 8_410_000,
  diskReadBytes: 3_120_000,
};

const statistics: AnswerStatistics = {
  modelName: 'SmolLM2 135M Instruct',
  promptTokens: 6_412,
  reusedTokens: 5_890,
  keptTokens: 5_890,
  notKept: null,
  partlyRead: [],
  sparselyRead: null,
  policy: far,
  answerTokens: 218,
  readingMs: 4_900,
  answeringMs: 14_200,
  stopReason: 'end',
};

export const conversations = [
  conversationOf('c1', { title: 'How is Dorothea introduced?', updatedAtMs: startedAtMs - 200_000, documentIds: ['middlemarch', 'notes'], modelId: 'smollm2-135m', sampling: defaultSampling }),
  conversationOf('c2', { title: 'Who is Mr. Casaubon, and what is his Key to all Mythologies?', updatedAtMs: startedAtMs - 2 * hourMs }),
  conversationOf('c3', { title: 'When the worker died', updatedAtMs: startedAtMs - 26 * hourMs }),
  conversationOf('c4', { title: 'Contract terms', updatedAtMs: startedAtMs - 90 * hourMs }),
  ...Array.from({ length: 30 }, (_, index) => conversationOf(`old${index}`, { title: `Notes on chapter ${index + 1}`, updatedAtMs: startedAtMs - (240 + index * 24) * hourMs })),
];

const answerTo = (id: string, parentId: string, change: Partial<Message>): Message =>
  messageOf(id, { conversationId: 'c1', role: 'assistant', parentId, statistics, modelName: 'SmolLM2 135M Instruct', ...change });

export const messages: Record<string, Message[]> = {
  c1: [
    messageOf('q1', { conversationId: 'c1', text: 'How is Dorothea introduced in the first chapter, and how does she differ from Celia?', siblingIds: ['q0', 'q1', 'q2'], siblingIndex: 1 }),
    answerTo('a1', 'q1', { text: longAnswer, siblingIds: ['a0', 'a1'], siblingIndex: 1 }),
    messageOf('q3', { conversationId: 'c1', parentId: 'a1', text: 'And who says so?' }),
    answerTo('a3', 'q3', { text: 'The narrator does, and reports the opinion of the neighbourhood: she “was usually spoken of” in this way.' }),
  ],
  c3: [
    messageOf('q5', { conversationId: 'c3', text: 'Summarise the second chapter.' }),
    answerTo('a5', 'q5', { conversationId: 'c3', state: 'interrupted', text: 'At dinner Sir James Chettam and Mr. Casaubon', statistics: null }),
    messageOf('q6', { conversationId: 'c3', parentId: 'a5', text: 'Again, please.' }),
    answerTo('a6', 'q6', {
      conversationId: 'c3',
      state: 'failed',
      text: '',
      statistics: null,
      failure: { code: 'device-lost', message: 'The graphics processor was lost while the answer was written.', remedy: 'It has been started again: try again.' },
    }),
    messageOf('q7', { conversationId: 'c3', parentId: 'a6', text: 'Once more.' }),
    answerTo('a7', 'q7', { conversationId: 'c3', state: 'stopped', text: 'At dinner Sir James', statistics: { ...statistics, answerTokens: 5, stopReason: 'cancelled' } }),
  ],
};
