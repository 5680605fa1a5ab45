/** What the reports of Vitest and Playwright say: how many passed, and which failed and why. */
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/**
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {string[]} failures a line for each: file, test, and the first words of what went wrong
 */

/**
 * @param {string} report file of Vitest's JSON reporter
 * @param {number} status of the process that wrote it
 * @param {string} rootFolder
 * @returns {Counts}
 */
export function vitestCounts(report, status, rootFolder) {
  return counted(report, status, ({ numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults }) => {
    const failures = testResults.flatMap((/** @type {any} */ { name, status: fileStatus, message, assertionResults }) => {
      const file = relative(rootFolder, name);
      const failed = assertionResults.filter((/** @type {any} */ test) => test.status === 'failed');
      // A file that cannot be loaded has no tests that could fail.
      if (fileStatus === 'failed' && assertionResults.length === 0) return [line(file, '(the file)', message)];
      return failed.map((/** @type {any} */ { fullName, failureMessages }) => line(file, fullName, failureMessages[0]));
    });
    return { passed: numPassedTests, failed: Math.max(numFailedTests, failures.length), skipped: numPendingTests + numTodoTests, failures };
  });
}

/**
 * @param {string} report file of Playwright's JSON reporter
 * @param {number} status of the process that wrote it
 * @returns {Counts}
 */
export function playwrightCounts(report, status) {
  return counted(report, status, ({ stats, suites, errors }) => ({
    passed: stats.expected + stats.flaky,
    failed: stats.unexpected,
    skipped: stats.skipped,
    failures: [...suites.flatMap(failuresIn), ...errors.map((/** @type {any} */ { message }) => line('(no test)', '', message))],
  }));
}

/**
 * @param {any} suite
 * @returns {string[]}
 */
function failuresIn({ specs, suites = [] }) {
  const failed = specs.filter((/** @type {any} */ { ok }) => !ok);
  return [
    ...failed.map((/** @type {any} */ { file, title, tests }) => {
      const results = tests.flatMap((/** @type {any} */ test) => test.results);
      return line(file, title, results.flatMap((/** @type {any} */ result) => result.errors)[0]?.message);
    }),
    ...suites.flatMap(failuresIn),
  ];
}

/**
 * @param {string} file
 * @param {string} test
 * @param {string} [message]
 */
function line(file, test, message = '') {
  const said = stripVTControlCharacters(message).split('\n').map((text) => text.trim());
  const reason = said.filter((text) => text !== '' && !text.startsWith('at ')).slice(0, 3).join('; ').slice(0, 400);
  return [file, test, reason].filter(Boolean).join(' › ');
}

/**
 * @param {string} report
 * @param {number} status
 * @param {(content: any) => Counts} read
 * @returns {Counts}
 */
function counted(report, status, read) {
  const counts = existsSync(report) ? read(JSON.parse(readFileSync(report, 'utf8'))) : { passed: 0, failed: 0, skipped: 0, failures: [] };
  // Whatever else went wrong counts as one failure.
  if (status !== 0 && counts.failed === 0) return { ...counts, failed: 1, failures: [...counts.failures, `it ended with ${status} though no test failed (see above)`] };
  return counts;
}
