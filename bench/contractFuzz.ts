/**
 * 100,000 random messages to the contract of one host, which keeps whatever they make; says how long each tenth took.
 *
 *     node bench/contractFuzz.ts [--messages N] [--seed N]
 *
 * Prints one JSON object; ends with status 1 where the host did what it must not.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openHost } from '../host/host.ts';
import { fuzzContract } from '../host/testing/contractFuzz.ts';

const { values } = parseArgs({ options: { messages: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } } });
const messages = Number(values.messages);
const root = mkdtempSync(join(tmpdir(), 'longleaf-fuzz-'));
const host = await openHost({ dataFolder: root });
const tenthsSeconds: number[] = [];
let tenthBegan = performance.now();
const outcome = await fuzzContract(host, Number(values.seed), messages, (answered) => {
  if (answered % (messages / 10) !== 0) return;
  tenthsSeconds.push(Number(((performance.now() - tenthBegan) / 1000).toPrecision(3)));
  tenthBegan = performance.now();
});
const kept = { titles: host.conversations.titles().length, folders: host.folders.list().length, presets: host.presets.list().length, documents: host.documents.list().length };
await host.close();
rmSync(root, { recursive: true, force: true });
console.log(JSON.stringify({ ...outcome, seconds: Number(tenthsSeconds.reduce((sum, seconds) => sum + seconds, 0).toFixed(1)), tenthsSeconds, kept, processor: cpus()[0]?.model }));
process.exitCode = outcome.problems.length > 0 ? 1 : 0;
