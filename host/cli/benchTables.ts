/** The tables of `longleaf bench`. */
import type { BenchResult, ProfileResult } from '../gpu-worker/protocol.ts';
import type { SpeedSpread, Spread } from './bench.ts';

export interface PeerSummary extends SpeedSpread {
  threads: number;
  backend: string;
}

export function formatRounds(rounds: readonly BenchResult[], speeds: SpeedSpread): string {
  const { prefillTokens, decodeTokens } = rounds[0];
  return (
    `  prefill of ${prefillTokens} tokens  ${speed(speeds.prefillTokensPerSecond, rounds.length)}\n` +
    `  decode of ${decodeTokens} tokens  ${speed(speeds.decodeTokensPerSecond, rounds.length)}\n`
  );
}

export function formatPeer(peer: PeerSummary, ours: SpeedSpread): string {
  const line = (name: string, mine: Spread, theirs: Spread): string =>
    `  ${name.padEnd(8)} ${theirs.median.toFixed(2).padStart(9)} tokens/s (best ${theirs.best.toFixed(2)}); ` +
    `ours is ${(mine.median / theirs.median).toFixed(3)} of it by the medians, ${(mine.best / theirs.best).toFixed(3)} by the bests\n`;
  return (
    `Beside it llama.cpp (${peer.backend}), ${peer.threads} threads\n` +
    line('prefill', ours.prefillTokensPerSecond, peer.prefillTokensPerSecond) +
    line('decode', ours.decodeTokensPerSecond, peer.decodeTokensPerSecond)
  );
}

export function formatProfile({ roofs, phases }: ProfileResult): string {
  const lines = [
    `Measured roofs: ${roofs.copyGigabytesPerSecond.toFixed(1)} GB/s copying on the device, ${roofs.multiplyAddGigaflops.toFixed(1)} GFLOP/s multiplying and adding in registers.`,
    'The share is that of the roof that limits the kernel; what fits a cache can pass 100 % of the memory roof.',
  ];
  for (const { phase, step, wholeStepMs, kernels } of phases) {
    const sumMs = kernels.reduce((sum, { ms }) => sum + ms, 0);
    lines.push(
      '',
      `${phase === 'reading' ? `Reading ${step.rows} tokens` : 'Decoding a token'} at position ${step.position}: ${wholeStepMs.toFixed(2)} ms a step, ${sumMs.toFixed(2)} ms by kernel`,
      row(['', 'ms', 'of step', 'GFLOP/s', 'GB/s', 'of roof', '']),
      ...kernels.map(({ name, ms, gigaflops, gigabytesPerSecond, limit, roofShare }) =>
        row([name, ms.toFixed(3), percent(ms / sumMs), gigaflops.toFixed(1), gigabytesPerSecond.toFixed(2), percent(roofShare), limit]),
      ),
    );
  }
  return `${lines.join('\n')}\n`;
}

function row([name, ms, ...rest]: string[]): string {
  const limit = rest.pop() ?? '';
  return `  ${name.padEnd(20)}${[ms, ...rest].map((cell) => cell.padStart(10)).join('')}  ${limit}`.trimEnd();
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function speed({ median, best }: Spread, rounds: number): string {
  return `${median.toFixed(2).padStart(9)} tokens/s${rounds > 1 ? ` (median of ${rounds}, best ${best.toFixed(2)})` : ''}`;
}
