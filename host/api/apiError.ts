/** Errors in the shape that OpenAI's clients expect, with this program's own sentences. */
import { ZodError } from 'zod';
import { toFailure } from '../errors.ts';

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** The field of the request that is wrong. */
  readonly param: string | null;

  constructor(status: number, code: string, message: string, param: string | null = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.param = param;
  }
}

export interface ErrorReply {
  status: number;
  body: { error: { message: string; type: string; param: string | null; code: string } };
}

/** Failures that are the request's own, by code; others are the server's. */
const statusOf: Record<string, number> = {
  'answer-too-long-to-fit': 400,
  'bad-request': 400,
  'context-exceeded': 400,
  'document-binary': 400,
  'document-empty': 400,
  'document-format': 400,
  'document-not-found': 404,
  'document-too-large': 413,
  'documents-cap': 413,
  'model-missing': 409,
  'model-not-found': 404,
  'no-model': 409,
  'prompt-too-long': 400,
  'upload-too-large': 413,
  'worker-died': 503,
  'worker-hung': 503,
  'worker-start-failed': 503,
};
/** Codes that clients know by another name. */
const openAiCodes: Record<string, string> = {
  'answer-too-long-to-fit': 'context_length_exceeded',
  'context-exceeded': 'context_length_exceeded',
  'prompt-too-long': 'context_length_exceeded',
  'model-not-found': 'model_not_found',
};

export function toErrorReply(error: unknown): ErrorReply {
  if (error instanceof ApiError) return reply(error.status, error.message, error.code, error.param);
  if (error instanceof ZodError) {
    const issue = error.issues[0];
    const param = issue && issue.path.length > 0 ? issue.path.join('.') : null;
    return reply(400, `${param === null ? 'The request' : `“${param}”`} is not valid: ${issue?.message ?? 'unknown problem'}.`.replace('..', '.'), 'invalid_request', param);
  }
  const { code, message, remedy } = toFailure(error);
  return reply(statusOf[code] ?? 500, `${message} ${remedy}`.trim(), openAiCodes[code] ?? code, null);
}

function reply(status: number, message: string, code: string, param: string | null): ErrorReply {
  const type = status === 401 ? 'authentication_error' : status === 403 ? 'permission_error' : status < 500 ? 'invalid_request_error' : 'server_error';
  return { status, body: { error: { message, type, param, code } } };
}
