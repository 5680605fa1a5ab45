/** Why the question cannot be sent now, in the order in which a person can do something about it. */
import type { ContextMeter, Failure } from '../../../host/contract/entities.ts';

export interface SendSituation {
  connected: boolean;
  hasModel: boolean;
  answering: boolean;
  documentsArriving: boolean;
  draft: string;
  meter: ContextMeter | null;
  /** How the conversation goes on has to be chosen. */
  undecided: boolean;
}

export type SendBlocker =
  | { kind: 'disconnected' | 'no-model' | 'answering' | 'documents-arriving' | 'undecided' | 'empty' }
  | { kind: 'does-not-fit'; failure: Failure };

export function sendBlockerOf(situation: SendSituation): SendBlocker | null {
  if (!situation.connected) return { kind: 'disconnected' };
  if (!situation.hasModel) return { kind: 'no-model' };
  if (situation.answering) return { kind: 'answering' };
  if (situation.documentsArriving) return { kind: 'documents-arriving' };
  if (situation.meter?.refusal) return { kind: 'does-not-fit', failure: situation.meter.refusal };
  if (situation.undecided) return { kind: 'undecided' };
  if (situation.draft.trim() === '') return { kind: 'empty' };
  return null;
}
