import { HostError } from '../errors.ts';
import type { Output } from './output.ts';

/** What every command is given. */
export interface CommandContext {
  output: Output;
  dataFolder: string;
  /** Aborted by Ctrl+C. */
  signal: AbortSignal;
  /** Resolves at Ctrl+C. */
  interrupted: Promise<void>;
}

/** Wrong use of a command; exit status 2. */
export function usageError(message: string, remedy: string): HostError {
  return new HostError('usage', message, remedy);
}
