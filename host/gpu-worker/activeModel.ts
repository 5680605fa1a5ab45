/** The model that the worker holds: its engine, its tokenizer, and the texts it has tokenised. */
import { readFile } from 'node:fs/promises';
import type { KvSetting } from '../contract/policy.ts';
import type { Device } from '../../engine/device/device.ts';
import { describeAttention } from '../../engine/layers/attention/choice.ts';
import { Readback } from '../../engine/device/readback.ts';
import { loadModel, type LoadedModel } from '../../engine/model.ts';
import { layerKinds } from '../../engine/models/layerKinds.ts';
import { composePrompt, type ComposedPrompt } from '../../engine/prompt/composePrompt.ts';
import { choosePromptStyle, type PromptStyle } from '../../engine/prompt/promptStyle.ts';
import { Sampler } from '../../engine/sampling/sampler.ts';
import { createTokenizer } from '../../engine/tokenizer/createTokenizer.ts';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.ts';
import type { Keeper } from '../../engine/kept/keeper.ts';
import { KvCache } from '../../engine/kv/cache.ts';
import { kvBytesPerValue } from '../../engine/layers/attention/layout.ts';
import { StateCache } from '../../engine/layers/recurrent/stateCache.ts';
import type { KeptSegment } from '../../engine/ports.ts';
import { gpuMemoryBytes } from '../models/gpuMemory.ts';
import { defaultGpuKvBytes, defaultRamKvBytes } from '../models/kvDefaults.ts';
import { refuseWhatMemoryCannotHold } from '../models/machineMemory.ts';
import { openModelSource } from '../models/openModelSource.ts';
import type { ChoiceFile } from './choiceFile.ts';
import { CopyThreads } from './copyThreads.ts';
import type { JobContext } from './gpuWorker.ts';
import { fingerprintOf, hashModel } from './modelFingerprint.ts';
import type { ChatPrompt, ModelDescription } from './protocol.ts';
import { SpillFolder } from './spillFolder.ts';
import { TransferFiles } from './transferFiles.ts';
import { WorkerThreads } from './workerThreads.ts';
import { runTemplate } from './templateThread.ts';

/** Documents whose tokens are kept, newest first. */
const keptDocuments = 16;

export class ActiveModel {
  readonly path: string;
  readonly loaded: LoadedModel;
  readonly tokenizer: Tokenizer;
  readonly style: PromptStyle;
  readonly sampler: Sampler;
  readonly readback: Readback;
  readonly description: ModelDescription;
  /** What keys and values depend on besides the tokens. */
  readonly fingerprint: string;
  /** Keeps what is read; its last turn may still be on its way. */
  #keeping: { keeper: Keeper; turn: Promise<void> } | null = null;
  /** Kept segments that hold the first `tokens` tokens of the sequence. */
  #readable: { segments: readonly KeptSegment[]; tokens: number } = { segments: [], tokens: 0 };
  readonly #documents = new Map<string, readonly number[]>();
  readonly #spill: SpillFolder;
  readonly #threads: readonly { close(): Promise<void> }[];

  private constructor(parts: Pick<ActiveModel, 'path' | 'loaded' | 'tokenizer' | 'style' | 'sampler' | 'readback' | 'description' | 'fingerprint'>, spill: SpillFolder, threads: readonly { close(): Promise<void> }[]) {
    this.#threads = threads;
    this.#spill = spill;
    this.path = parts.path;
    this.loaded = parts.loaded;
    this.tokenizer = parts.tokenizer;
    this.style = parts.style;
    this.sampler = parts.sampler;
    this.readback = parts.readback;
    this.description = parts.description;
    this.fingerprint = parts.fingerprint;
  }

  static async load(
    device: Device,
    { path, contextTokens, kv }: { path: string; contextTokens: number | null; kv: KvSetting },
    { choices, spillFolder }: { choices: ChoiceFile; spillFolder: string },
    context: JobContext,
  ): Promise<ActiveModel> {
    const started = performance.now();
    const source = await openModelSource(path);
    const spill = new SpillFolder(spillFolder);
    const threads = new WorkerThreads();
    const copies = CopyThreads.forThisMachine();
    const longCopies = device.facts.kind === 'gpu' ? TransferFiles.forThisMachine() : null;
    const gpuBudgetBytes = kv.gpuBytes ?? defaultGpuKvBytes(device.facts.kind, { gpuBytes: await gpuMemoryBytes(device.facts), modelBytes: source.sizeBytes });
    let loaded: LoadedModel | null = null;
    try {
      refuseWhatMemoryCannotHold(device.facts.kind, source.sizeBytes);
      loaded = await loadModel(device, source, {
        contextTokens,
        kvBudgetBytes: gpuBudgetBytes,
        tiers: {
          gpuBudgetBytes,
          ramBudgetBytes: kv.ramBytes ?? defaultRamKvBytes(),
          format: kv.format,
          disk: spill,
          copies,
          longCopies,
          offload: kv.offload,
          pages: kv.pages,
          mayLackSketch: kv.mayLackSketch,
          graphs: kv.graphs ? { pool: threads } : null,
          ...('share' in kv.largestBudget ? { largestShare: kv.largestBudget.share } : { largestTokens: kv.largestBudget.tokens }),
        },
        sparseReading: kv.sparseReading,
        choices,
        signal: context.signal,
        onProgress: (done, total) => context.progress('loading', done, total),
      });
      const { spec, file } = loaded;
      const tokenizer = createTokenizer(file.metadata);
      const style = choosePromptStyle(file.metadata, tokenizer);
      const sampler = await Sampler.create(loaded.device, { vocabularySize: spec.vocabularySize, maxContextTokens: loaded.contextTokens });
      const description: ModelDescription = {
        name: spec.name,
        architecture: spec.architecture,
        parameters: loaded.parameters,
        layers: spec.blocks.length,
        layerKinds: layerKinds(spec),
        vocabularySize: spec.vocabularySize,
        trainedContextTokens: spec.trainedTokens,
        contextTokens: loaded.contextTokens,
        promptStyle: style.kind,
        kernels: { ...loaded.kernels.describe(), ...describeAttention(loaded.device) },
        loadMs: performance.now() - started,
      };
      const fingerprint = fingerprintOf(await hashModel(source, file.dataOffsetBytes), loaded);
      return new ActiveModel({ path, loaded, tokenizer, style, sampler, readback: new Readback(loaded.device), description, fingerprint }, spill, [threads, copies, longCopies].filter((one) => one !== null));
    } catch (error) {
      loaded?.free();
      for (const one of [copies, longCopies]) void one?.close();
      throw error;
    } finally {
      await source.close();
    }
  }

  /** Bytes of keys and values on the GPU when all of them are there. */
  get kvBytes(): number {
    return this.loaded.device.memory.report().kvBytes;
  }

  /** Bytes on disk for each token that is kept, without its index. */
  get keptBytesPerToken(): number {
    const { caches, far } = this.loaded.runner;
    return caches.reduce((sum, cache) => {
      if (cache instanceof KvCache) return sum + 2 * cache.layout.kvHeads * cache.layout.headDim * kvBytesPerValue(cache.layout.format);
      return sum + (far && !(cache instanceof StateCache) ? 8 * far.plan.layout.kvHeads * far.words : 0);
    }, 0);
  }

  /** Keeps from now on with `keeper`; `turn` is what is being kept at the end of a turn. */
  keep(keeper: Keeper, turn: Promise<void> = Promise.resolve()): void {
    // A turn that could not be kept is read again next time; nothing of it is lost.
    this.#keeping = { keeper, turn: turn.catch((error: unknown) => void process.stderr.write(`a turn was not kept: ${String(error)}\n`)) };
  }

  /** Notes what can be read of the sequence while nobody keeps it. */
  setReadable(segments: readonly KeptSegment[], tokens: number): void {
    this.#readable = { segments, tokens };
  }

  /** Waits until what was kept last is durable. To be called before the sequence is changed. */
  async endKeeping(): Promise<{ segments: readonly KeptSegment[]; tokens: number }> {
    const keeping = this.#keeping;
    if (!keeping) return this.#readable;
    this.#keeping = null;
    await keeping.turn;
    // Whoever read has heard of what failed.
    await keeping.keeper.settled().catch(() => undefined);
    keeping.keeper.free();
    this.#readable = { segments: keeping.keeper.segments, tokens: keeping.keeper.readableTokens };
    return this.#readable;
  }

  /** Begins anew with the next prompt, whatever was read. */
  async forget(): Promise<void> {
    await this.endKeeping();
    this.#readable = { segments: [], tokens: 0 };
    this.loaded.sequence.clear();
    await this.loaded.runner.truncate(0);
  }

  /** The chat as tokens, in the byte-stable order that lets prompts share what was read. `limits`: of documents' tokens, by id. */
  async compose(prompt: ChatPrompt, limits: ReadonlyMap<string, number> = new Map()): Promise<ComposedPrompt> {
    const documents = await Promise.all(
      prompt.documents.map(async ({ id, name, textPath }) => ({ id, name, text: await readFile(textPath, 'utf8') })),
    );
    return composePrompt(this.tokenizer, this.style, { documents, system: prompt.system, history: prompt.history, question: prompt.question }, {
      runTemplate: (template, context) => runTemplate(templateThreadUrl(), template, context),
      encodeDocument: (id, text) => this.#encodeDocument(id, text).slice(0, limits.get(id)),
    });
  }

  /** Documents never change under an id, so their tokens are kept. */
  #encodeDocument(id: string, text: string): readonly number[] {
    const tokens = this.#documents.get(id) ?? this.tokenizer.encode(text);
    this.#documents.delete(id);
    this.#documents.set(id, tokens);
    for (const oldest of this.#documents.keys()) {
      if (this.#documents.size <= keptDocuments) break;
      this.#documents.delete(oldest);
    }
    return tokens;
  }

  free(): void {
    this.sampler.free();
    this.readback.free();
    this.loaded.free();
    this.#spill.removeAll();
    for (const threads of this.#threads) void threads.close();
  }
}

/** Bundled beside the worker; from the sources in a checkout. */
function templateThreadUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './templateThreadEntry.ts' : './template-thread.js', import.meta.url);
}
