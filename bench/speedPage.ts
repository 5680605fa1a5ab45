/**
 * One page of what speedRuns.mjs found:
 *
 *     node dist/bench/speedPage.js FILE.jsonl … > page.html
 */
import { readFileSync } from 'node:fs';
import { speedPage } from './speed/page.ts';

process.stdout.write(speedPage(process.argv.slice(2).flatMap((path) => readFileSync(path, 'utf8').split('\n'))));
