/**
 * What the scripts say goes to stderr: stdout belongs to the command that runs.
 * @param {string} line
 */
export function say(line) {
  process.stderr.write(`longleaf: ${line}\n`);
}

/**
 * Ends with a sentence instead of a stack trace when the problem is the machine's, not the code's.
 */
export class Explained extends Error {}

/**
 * Runs a script's main function; an `Explained` error becomes one line and exit status 1.
 * @param {() => Promise<number>} main
 */
export async function runMain(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof Explained)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}
