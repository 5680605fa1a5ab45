/** `longleaf bench`: how fast a model runs here, kernel by kernel, and beside llama.cpp. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { type BenchResult, benchResult, loadingResult, type ProfileResult, profileResult } from '../gpu-worker/protocol.ts';
import { inspectModel } from '../models/inspectModel.ts';
import type { PeerBackend, PeerResult } from '../peer/peerProtocol.ts';
import { runPeer } from '../peer/runPeer.ts';
import { defaultKvSetting, type KvSetting } from '../contract/policy.ts';
import { formatLoading, formatPeer, formatProfile, formatRounds } from './benchTables.ts';
import type { CommandContext } from './context.ts';
import { chooseModel, withEngine } from './engine.ts';

export interface BenchOptions {
  model: string | undefined;
  prefillTokens: number;
  decodeTokens: number;
  rounds: number;
  /** A folder whose node_modules holds llama.cpp, see peerProtocol.ts. */
  peer: string | undefined;
  /** Where llama.cpp runs; left out, on a GPU where ours does. */
  peerBackend: PeerBackend | undefined;
  kernels: boolean;
  /** For keys and values on the GPU; null: as answers have it. */
  kvGpuBytes: number | null;
  /** How the prompt is read beyond some length; null: exactly. */
  sparseReading: KvSetting['sparseReading'];
}

/** A figure of several rounds: on a machine that is shared the best says more, on a quiet one the median. */
export interface Spread {
  median: number;
  best: number;
}

const spareTokens = 64;

type Speeds = Pick<BenchResult, 'prefillTokensPerSecond' | 'decodeTokensPerSecond'>;

export interface SpeedSpread {
  prefillTokensPerSecond: Spread;
  decodeTokensPerSecond: Spread;
}

export async function bench(context: CommandContext, options: BenchOptions): Promise<void> {
  const { output, signal } = context;
  const { prefillTokens, decodeTokens, rounds } = options;
  const chosen = await chooseModel(context, options.model, null);
  // Room for what is measured and no more: the whole context of some models fits no GPU.
  const { contextTokens: most } = await inspectModel(chosen.target.path);
  const contextTokens = Math.min(most, prefillTokens + decodeTokens + spareTokens);
  const target = { ...chosen.target, contextTokens, kv: { ...defaultKvSetting, gpuBytes: options.kvGpuBytes, sparseReading: options.sparseReading } };
  await withEngine(({ session, supervisor }) =>
    session.use(target, { signal }, async (model) => {
      const hooks = (unit: 'tokens' | 'kernels') => ({
        signal,
        onProgress: ({ phase, done, total }: { phase: string; done: number; total: number }) => output.progress({ label: phase, done, total, unit }),
      });
      const ours: BenchResult[] = [];
      const peers: PeerResult[] = [];
      const threads = availableParallelism();
      const backend = options.peerBackend ?? (supervisor.status.adapter?.kind === 'gpu' ? 'vulkan' : 'cpu');
      for (let round = 0; round < rounds; round++) {
        ours.push(await supervisor.run({ kind: 'bench', prefillTokens, decodeTokens }, benchResult, hooks('tokens')));
        if (options.peer === undefined) continue;
        peers.push(
          await runPeer(
            {
              folder: resolve(options.peer),
              backend,
              modelPath: chosen.target.path,
              vocabularySize: model.vocabularySize,
              prefillTokens: ours[0].prefillTokens,
              decodeTokens,
              threads,
            },
            signal,
          ),
        );
      }
      const adapter = supervisor.status.adapter?.name ?? 'an unknown adapter';
      const speeds = spreadOf(ours);
      const loading = await supervisor.run({ kind: 'loading' }, loadingResult, { signal });
      output.text(`${chosen.name} on ${adapter}, loaded in ${(model.loadMs / 1000).toFixed(1)} s\n${formatLoading(loading)}${formatRounds(ours, speeds)}`);
      const peer = peers.length > 0 ? { threads, backend: peers[0].backend, rounds: peers, ...spreadOf(peers) } : null;
      if (peer) output.text(formatPeer(peer, speeds));
      let profile: ProfileResult | null = null;
      if (options.kernels) {
        profile = await supervisor.run({ kind: 'profile', promptTokens: prefillTokens }, profileResult, hooks('kernels'));
        output.text(formatProfile(profile));
      }
      const { kernels, loadMs } = model;
      output.event({ event: 'done', model: chosen.name, adapter, loadMs, loading, kernels, rounds: ours, ...speeds, peer, profile });
    }),
  );
}

function spreadOf(rounds: readonly Speeds[]): SpeedSpread {
  const spread = (values: number[]): Spread => {
    values.sort((a, b) => a - b);
    return { median: (values[(values.length - 1) >> 1] + values[values.length >> 1]) / 2, best: values[values.length - 1] };
  };
  return {
    prefillTokensPerSecond: spread(rounds.map((round) => round.prefillTokensPerSecond)),
    decodeTokensPerSecond: spread(rounds.map((round) => round.decodeTokensPerSecond)),
  };
}
