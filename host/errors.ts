/** Failures of the host, told as the engine tells its own: a stable code, what and why, what to do. */
import { ZodError } from 'zod';
import { EngineError } from '../engine/errors.ts';
import type { Failure } from './contract/entities.ts';
import type { HostErrorCode } from './contract/failureCodes.ts';

export type { HostErrorCode };

export class HostError extends Error {
  readonly code: HostErrorCode;
  /** What the person can do about it; one sentence. */
  readonly remedy: string;

  constructor(code: HostErrorCode, message: string, remedy: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'HostError';
    this.code = code;
    this.remedy = remedy;
  }
}

/** A failure that another process described; it keeps its own code. */
export class RelayedError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.name = 'RelayedError';
    this.failure = failure;
  }
}

/** What any thrown value looks like to the person. Details of unexpected errors stay in the message. */
export function toFailure(error: unknown): Failure {
  if (error instanceof RelayedError) return error.failure;
  if (error instanceof HostError || error instanceof EngineError) {
    return { code: error.code, message: error.message, remedy: error.remedy };
  }
  if (error instanceof ZodError) {
    const issue = error.issues[0];
    const where = issue && issue.path.length > 0 ? ` (${issue.path.join('.')})` : '';
    return {
      code: 'bad-request',
      message: `The request was not valid: ${issue?.message ?? 'unknown problem'}${where}.`,
      remedy: 'This is a mistake in the program that sent it, not in what you did; please report it.',
    };
  }
  return {
    code: 'internal',
    message: `Something went wrong inside Longleaf: ${error instanceof Error ? error.message : String(error)}.`,
    remedy: 'Try again; if it happens again, please report it with this message.',
  };
}

/** The error code that Node's file and network calls attach, such as `ENOENT`. */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

export function isCancelled(error: unknown): boolean {
  return toFailure(error).code === 'cancelled';
}

export function cancelled(): HostError {
  return new HostError('cancelled', 'This was stopped.', 'Start it again when you want.');
}
