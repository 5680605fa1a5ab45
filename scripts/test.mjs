/**
 * `npm test`: gets everything ready that is not, runs the stages in order and ends with
 * which tests failed and why, and `N passed, N failed`. Needs no root. `npm test -- unit gpu` runs these stages only.
 *
 * What a machine lacks is skipped with the reason; with CI=true that is a failure.
 */
import { installIfNeeded } from './install.mjs';
import { childrenProcessorSeconds, stoppedBy } from './processes.mjs';
import { findRuntimeNode } from './runtimeNode.mjs';
import { Explained, runMain } from './say.mjs';
import { stages } from './testStages.mjs';

const inCi = process.env.CI === 'true';

/**
 * @param {string[]} names
 * @returns {Promise<number>} exit status
 */
async function test(names) {
  const chosen = chooseStages(names);
  await installIfNeeded();
  const context = { runtimeNode: findRuntimeNode() };
  const total = { passed: 0, failed: 0, skipped: 0 };
  const lines = [];
  /** @type {string[]} */
  const failures = [];
  for (const stage of chosen) {
    console.log(`\n── ${stage.name} ──`);
    const startMs = performance.now();
    const before = childrenProcessorSeconds();
    const { counts, reason } = await runStage(stage, context);
    const signal = stoppedBy();
    if (signal) throw new Explained(`stopped by ${signal} in “${stage.name}”.`);
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
    failures.push(...counts.failures.map((failure) => `${stage.name}: ${failure}`));
    const seconds = (performance.now() - startMs) / 1000;
    // How much of the machine a stage uses says whether more of it can run side by side.
    const cores = before === undefined ? '' : `${(((childrenProcessorSeconds() ?? 0) - before) / seconds).toFixed(2).padStart(8)} cores`;
    lines.push(`${stage.name.padEnd(16)}${seconds.toFixed(1).padStart(8)} s${cores}   ${describe(counts)}${reason ? `: ${reason}` : ''}`);
    console.log(lines.at(-1));
  }
  // Last, because of a long output often only the end is kept.
  const failed = failures.length > 0 ? `\nfailed:\n${failures.join('\n')}\n` : '';
  console.log(`\n${lines.join('\n')}\n${failed}\n${describe(total)}`);
  return total.failed === 0 ? 0 : 1;
}

/** @param {string[]} names */
function chooseStages(names) {
  if (names.length === 0) return stages.filter(({ onlyInCi }) => inCi || !onlyInCi);
  const unknown = names.filter((name) => !stages.some((stage) => stage.name === name));
  if (unknown.length > 0) {
    throw new Explained(`there is no stage “${unknown.join(', ')}”; there are: ${stages.map(({ name }) => name).join(', ')}.`);
  }
  // The interface is tested as it is built.
  const needsBuild = names.includes('chromium') || names.includes('electron');
  return stages.filter(({ name }) => names.includes(name) || (needsBuild && name === 'build'));
}

/**
 * @param {import('./testStages.mjs').Stage} stage
 * @param {import('./testStages.mjs').Context} context
 */
async function runStage(stage, context) {
  try {
    return { counts: await stage.run(context), reason: undefined };
  } catch (error) {
    if (!(error instanceof Explained)) throw error;
    const counts = inCi ? { passed: 0, failed: 1, skipped: 0, failures: [error.message] } : { passed: 0, failed: 0, skipped: 1, failures: [] };
    return { counts, reason: error.message };
  }
}

/** @param {{passed: number, failed: number, skipped: number}} counts */
function describe({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

await runMain(() => test(process.argv.slice(2)));
