/**
 * Every failure a person may see is one of these: a stable code for programs, one sentence that says
 * what happened and why, and one that says what to do.
 */
export type EngineErrorCode =
  | 'not-a-gguf'
  | 'gguf-truncated'
  | 'gguf-invalid'
  | 'gguf-unsupported-version'
  | 'unknown-architecture'
  | 'unknown-quantisation'
  | 'model-incomplete'
  | 'tokenizer-unsupported'
  | 'template-failed'
  | 'context-exceeded'
  | 'kv-budget-too-small'
  | 'no-adapter'
  | 'device-lost'
  | 'out-of-gpu-memory'
  | 'shader-failed'
  | 'logits-not-finite'
  | 'cancelled'
  | 'internal';

export class EngineError extends Error {
  readonly code: EngineErrorCode;
  /** What the person can do about it; one sentence. */
  readonly remedy: string;

  constructor(code: EngineErrorCode, message: string, remedy: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'EngineError';
    this.code = code;
    this.remedy = remedy;
  }
}

/** Thrown when an AbortSignal stops a job; callers treat it as an outcome, not a failure. */
export function cancelled(): EngineError {
  return new EngineError('cancelled', 'The job was stopped.', 'Start it again when you want.');
}
