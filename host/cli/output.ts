/** stdout for the command's own output, stderr for everything a person is told on the way. */
import { formatBytes, formatCount } from '../wording.ts';

export interface ProgressState {
  label: string;
  done: number;
  total: number;
  unit: 'bytes' | 'tokens' | 'kernels' | 'documents';
  perSecond?: number;
  secondsLeft?: number | null;
}

const barWidth = 24;
const plainLineEveryMs = 5000;
const redrawEveryMs = 100;

/** What is written to; a terminal says so. */
export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export interface OutputStreams {
  stdout: OutputStream;
  stderr: OutputStream;
}

export class Output {
  readonly json: boolean;
  readonly #stdout: OutputStream;
  readonly #stderr: OutputStream;
  #barShown = false;
  #label = '';
  #shownAtMs = -Infinity;

  constructor(json: boolean, { stdout, stderr }: OutputStreams) {
    this.json = json;
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  /** One line of `--json`; nothing without it. */
  event(value: Record<string, unknown>): void {
    if (this.json) this.#stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** Output for people; nothing with `--json`. */
  text(text: string): void {
    if (this.json) return;
    this.clearProgress();
    this.#stdout.write(text);
  }

  note(line: string): void {
    this.clearProgress();
    this.#stderr.write(`${line}\n`);
  }

  progress(state: ProgressState): void {
    const ends = state.done >= state.total;
    const begins = state.label !== this.#label;
    const now = performance.now();
    const everyMs = this.#stderr.isTTY ? redrawEveryMs : plainLineEveryMs;
    if (!begins && !ends && now - this.#shownAtMs < everyMs) return;
    this.#label = state.label;
    this.#shownAtMs = now;
    if (!this.#stderr.isTTY) {
      this.#stderr.write(`${describe(state)}\n`);
      return;
    }
    this.#barShown = true;
    this.#stderr.write(`\r\u001B[K${bar(state)} ${describe(state)}`);
    if (ends) this.clearProgress();
  }

  /** Takes the bar off the terminal so that other lines can be written. */
  clearProgress(): void {
    if (!this.#barShown) return;
    this.#barShown = false;
    this.#stderr.write('\r\u001B[K');
  }
}

function bar({ done, total }: ProgressState): string {
  const filled = total > 0 ? Math.round((Math.min(done, total) / total) * barWidth) : 0;
  return `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}`;
}

function describe({ label, done, total, unit, perSecond, secondsLeft }: ProgressState): string {
  const amount = unit === 'bytes' ? `${formatBytes(done)} of ${formatBytes(total)}` : `${formatCount(done)} of ${formatCount(total)} ${unit}`;
  const rate = perSecond ? `, ${unit === 'bytes' ? formatBytes(Math.round(perSecond)) : `${perSecond.toFixed(1)} ${unit}`}/s` : '';
  const left = secondsLeft ? `, ${Math.ceil(secondsLeft)} s left` : '';
  return `${label}: ${amount}${rate}${left}`;
}
