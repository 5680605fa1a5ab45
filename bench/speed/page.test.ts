import { expect, it } from 'vitest';
import { speedPage } from './page.ts';

const done = {
  event: 'done',
  model: 'Model <1B>',
  adapter: 'An adapter',
  rounds: [{ prefillTokens: 8192, decodeTokens: 64 }],
  prefillTokensPerSecond: { median: 100, best: 110 },
  decodeTokensPerSecond: { median: 30, best: 31 },
  peer: { backend: 'Vulkan', prefillTokensPerSecond: { median: 50, best: 50 }, decodeTokensPerSecond: { median: 40, best: 40 } },
  profile: {
    roofs: { copyGigabytesPerSecond: 1, multiplyAddGigaflops: 1 },
    phases: [{ phase: 'decoding', step: { rows: 1, position: 8192 }, wholeStepMs: 3, kernels: [], timeline: [{ name: 'norms', startMs: 0, ms: 1 }, { name: 'down', startMs: 1.5, ms: 1.5 }] }],
  },
};
const sweep = { bench: 'kernelSweep', codes: 'u4', inputs: 4096, outputs: 4096, variant: 'a kernel', copyShare: 0.875, teraflops: 151.25 };

it('shows ratios, strips and rivals, and passes over what it does not know', () => {
  const lines = [done, { ...sweep, kind: 'row', rows: 1, wrong: null }, { ...sweep, kind: 'tile', rows: 512, wrong: 'differs by 0.5' }, { event: 'progress' }].map((line) => JSON.stringify(line));
  const page = speedPage([...lines, 'no JSON']);
  expect(page).toContain('Model &lt;1B&gt;, 8192 tokens');
  expect(page).toContain('reading 8192 tokens, 2.00 of llama.cpp');
  expect(page).toContain('decoding at 8192, 0.75 of llama.cpp');
  expect(page).toContain('Decoding a token at position 8192, 3.00 ms by timestamps');
  expect(page).toContain('down 1.50 ms, 50 %');
  expect(page).toContain('87.5 %');
  expect(page).toContain('class="wrong"');
  expect(page).toContain('differs by 0.5');
  expect(page).not.toContain('151.3');
});

it('says that there is nothing to show', () => {
  expect(speedPage([])).toContain('There were no results.');
});
