import { useEffect, useState } from 'react';
import type { Failure, Message } from '../../../../host/contract/entities.ts';
import type { AnswerEvidence } from '../../../../host/contract/inspection.ts';
import { host } from '../../../app/connection/session.ts';
import { failureOf } from '../../../app/failures.ts';
import { libraryStore } from '../../library/store.ts';
import { inspectorStore, useInspector } from '../store.ts';

export interface GuideExample {
  answer: Message;
  question: string;
  evidence: AnswerEvidence;
}

export interface GuideExampleState {
  state: 'idle' | 'answering' | 'looking';
  example: GuideExample | null;
  failure: Failure | null;
  compute(): void;
}

/** Asks the sample question when it is wanted, and follows the answer until it was looked into. */
export function useGuideExample(): GuideExampleState {
  const [answer, setAnswer] = useState<Message | null>(null);
  const [question, setQuestion] = useState('');
  const [asking, setAsking] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const known = useInspector((state) => (answer ? state.known[answer.id] : undefined));
  const answerId = answer?.id;
  useEffect(() => {
    if (answerId === undefined) return undefined;
    return host.on('message.changed', (message) => {
      if (message.id === answerId) setAnswer(message);
    });
  }, [answerId]);
  const ended = answer !== null && answer.state !== 'streaming';
  useEffect(() => {
    if (answerId !== undefined && ended) void inspectorStore.getState().load(answerId);
  }, [answerId, ended]);
  const compute = (): void => {
    setAsking(true);
    setFailure(null);
    const ask = async (): Promise<void> => {
      const asked = await host.call('inspector.example', {});
      const parent = asked.parentId === null ? null : await host.call('chat.message', { messageId: asked.parentId });
      setQuestion(parent?.text ?? '');
      setAnswer(asked);
      await libraryStore.getState().refresh();
    };
    ask()
      .catch((error: unknown) => setFailure(failureOf(error)))
      .finally(() => setAsking(false));
  };
  const failed = failure ?? (ended ? (answer.failure ?? known?.failure ?? null) : null);
  const example = answer && ended && known?.evidence ? { answer, question, evidence: known.evidence } : null;
  const state = failed || (!asking && answer === null) ? 'idle' : ended ? 'looking' : 'answering';
  return { state, example, failure: failed, compute };
}
