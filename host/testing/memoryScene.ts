/** A small model, two documents and a folder of memories, and what a person does with them through a worker. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { seededRandom } from '../../engine/formats/quantisation/testing/seededRandom.ts';
import { tinyModel } from '../../engine/testing/tinyModel.ts';
import { defaultSampling } from '../contract/entities.ts';
import { defaultKvSetting, type KvSetting } from '../contract/policy.ts';
import { type ChatPrompt, type GenerateResult, generateResult, type Keeping, type MemoryCall, type ReadResult, readResult } from '../gpu-worker/protocol.ts';
import { type StartedWorker, startWorker } from './builtWorker.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const contextTokens = 4096;
const documentCharacters = 1700;

export interface SceneDocument {
  id: string;
  name: string;
  textPath: string;
}

export interface MemoryScene {
  folder: string;
  modelPath: string;
  documents: SceneDocument[];
  environment: NodeJS.ProcessEnv;
}

/** What workers measure of the adapter: the first of a test file for all others. */
const measuredBefore = mkdtempSync(join(tmpdir(), 'longleaf-test-'));
afterAll(() => rmSync(measuredBefore, { recursive: true, force: true }));

/** Answers of its random model are noise, but noise that depends on every document and question. */
export function makeScene(architecture: 'llama' | 'qwen35' = 'llama'): MemoryScene {
  const root = temporaryFolder();
  const random = seededRandom(41);
  const modelPath = join(root, 'tiny.gguf');
  writeFileSync(modelPath, tinyModel({ architecture, contextTokens, layers: 2, embeddingScale: 0.5, queryScale: 6 }));
  const documents = ['a', 'b'].map((id) => {
    const textPath = join(root, `${id}.txt`);
    writeFileSync(textPath, Array.from({ length: documentCharacters }, () => String.fromCharCode(97 + Math.floor(26 * random()))).join(''));
    return { id, name: `${id}.txt`, textPath };
  });
  return { folder: join(root, 'memories'), modelPath, documents, environment: { LONGLEAF_CACHE: measuredBefore } };
}

/** A worker with the model, and what a person can do with it. */
export class Person {
  readonly #worker: StartedWorker;
  readonly #scene: MemoryScene;
  /** Tokens that were read and reported, by document, of the reading under way. */
  readonly readTokens = new Map<string, number>();

  constructor(worker: StartedWorker, scene: MemoryScene) {
    this.#worker = worker;
    this.#scene = scene;
  }

  static async start(entry: string, scene: MemoryScene, kv: KvSetting = defaultKvSetting): Promise<Person> {
    const worker = await startWorker(entry, scene.environment);
    await worker.process.run({ kind: 'load', path: scene.modelPath, contextTokens, kv, boundsChecks: false });
    return new Person(worker, scene);
  }

  async read(document: SceneDocument, { signal }: { signal?: AbortSignal } = {}): Promise<ReadResult> {
    const keeping = { folder: this.#scene.folder, modelName: 'Tiny', conversation: null };
    const onProgress = ({ phase, done }: { phase: string; done: number }): void => {
      if (phase === 'reading') this.readTokens.set(document.id, done);
    };
    return readResult.parse(await this.#worker.process.run({ kind: 'read', document, keeping }, { onProgress, signal }));
  }

  /** `conversation` null: the answer is not kept. */
  async ask(document: SceneDocument, conversation: string | null, question: string, more: Partial<Keeping> = {}): Promise<GenerateResult> {
    const prompt: ChatPrompt = { kind: 'chat', documents: [document], system: '', history: [], question };
    const keeping = { folder: this.#scene.folder, modelName: 'Tiny', conversation: conversation === null ? null : { id: conversation, title: conversation }, ...more };
    const sampling = { ...defaultSampling, temperature: 0.5, seed: 5, maxTokens: 24 };
    return generateResult.parse(await this.#worker.process.run({ kind: 'generate', prompt, sampling, stop: [], keeping }));
  }

  /** From what has been read of the document so far. */
  async askNow(document: SceneDocument, question: string): Promise<GenerateResult> {
    const prompt: ChatPrompt = { kind: 'chat', documents: [document], system: '', history: [], question, onlyRead: true };
    const keeping = { folder: this.#scene.folder, modelName: 'Tiny', conversation: { id: 'now', title: 'Now' } };
    const sampling = { ...defaultSampling, temperature: 0.5, seed: 5, maxTokens: 24 };
    return generateResult.parse(await this.#worker.process.run({ kind: 'generate', prompt, sampling, stop: [], keeping }));
  }

  /** What an answer is without any memory. */
  async askAnew(document: SceneDocument, question: string): Promise<string> {
    const prompt: ChatPrompt = { kind: 'chat', documents: [document], system: '', history: [], question };
    const sampling = { ...defaultSampling, temperature: 0.5, seed: 5, maxTokens: 24 };
    return generateResult.parse(await this.#worker.process.run({ kind: 'generate', prompt, sampling, stop: [] })).text;
  }

  call(call: MemoryCall): Promise<unknown> {
    return this.#worker.process.run({ kind: 'memories', folder: this.#scene.folder, call });
  }

  async remove(owner: string): Promise<void> {
    await this.call({ name: 'remove', owners: [owner] });
  }

  async kill(): Promise<void> {
    this.#worker.process.kill();
    await this.#worker.ended;
  }

  async quit(): Promise<void> {
    await this.#worker.process.quit(10_000);
  }
}
