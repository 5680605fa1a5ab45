/** Turns whatever was thrown into the words a person should see. */
import { toast } from 'sonner';
import { ZodError } from 'zod';
import { ContractError } from '../../host/contract/client.ts';
import type { Failure } from '../../host/contract/entities.ts';
import { said } from './said/said.ts';
import { strings } from './strings.ts';

export function failureOf(error: unknown): Failure {
  if (error instanceof ContractError) return error.failure;
  if (error instanceof ZodError) {
    return { code: 'unexpected-reply', message: strings.failures.unexpectedReply, remedy: strings.failures.updateOrRestart };
  }
  const message = error instanceof Error ? error.message : strings.failures.unknown;
  return { code: 'unknown', message, remedy: strings.failures.tryAgain };
}

/** For things the person did that failed and have no place of their own on the screen. */
export function reportFailure(error: unknown): void {
  const failure = failureOf(error);
  toast.error(said(failure.message), { description: said(failure.remedy), duration: 9000 });
}

/** Runs something that was asked for by a click; a failure is shown, not lost. */
export function attempt(task: Promise<unknown>): void {
  task.catch(reportFailure);
}
