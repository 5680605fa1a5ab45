/** A host for unit tests: answers calls from a table and sends events when told to. */
import { ContractError } from '../../host/contract/client.ts';
import { type Conversation, type Failure, type Message, defaultSampling } from '../../host/contract/entities.ts';
import type { EventName, EventPayload, MethodName, MethodParams, MethodResult } from '../../host/contract/methods.ts';
import type { HostCaller } from '../app/connection/session.ts';

type Answers = { [M in MethodName]?: (params: MethodParams<M>) => MethodResult<M> | Promise<MethodResult<M>> };

export interface ScriptedHost extends HostCaller {
  readonly calls: { method: MethodName; params: unknown }[];
  readonly answers: Answers;
  send<E extends EventName>(name: E, payload: EventPayload<E>): void;
  open(): void;
}

export function scriptedHost(answers: Answers): ScriptedHost {
  const calls: { method: MethodName; params: unknown }[] = [];
  const listeners = new Map<EventName, ((payload: never) => void)[]>();
  const openListeners: (() => void)[] = [];
  return {
    calls,
    answers,
    async call<M extends MethodName>(method: M, params: MethodParams<M>): Promise<MethodResult<M>> {
      calls.push({ method, params });
      const answer = answers[method] as ((params: MethodParams<M>) => MethodResult<M> | Promise<MethodResult<M>>) | undefined;
      if (!answer) throw new ContractError({ code: 'not-scripted', message: `${method} was not expected.`, remedy: '' });
      return answer(params);
    },
    on(name, listener) {
      const known = listeners.get(name) ?? [];
      listeners.set(name, known);
      known.push(listener as (payload: never) => void);
      return () => undefined;
    },
    onOpen(listener) {
      openListeners.push(listener);
      return () => undefined;
    },
    send(name, payload) {
      for (const listener of listeners.get(name) ?? []) listener(payload as never);
    },
    open() {
      for (const listener of openListeners) listener();
    },
  };
}

/** Lets every promise that can settle do so. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

export function conversationOf(id: string, change: Partial<Conversation> = {}): Conversation {
  return { id, title: id, createdAtMs: 1, updatedAtMs: 1, modelId: null, documentIds: [], systemPrompt: '', sampling: defaultSampling, policy: null, folderId: null, pinned: false, ...change };
}

export function messageOf(id: string, change: Partial<Message> = {}): Message {
  return {
    id,
    conversationId: 'c1',
    parentId: null,
    role: 'user',
    text: id,
    state: 'complete',
    failure: null,
    statistics: null,
    modelName: null,
    createdAtMs: 1,
    siblingIndex: 0,
    siblingIds: [id],
    ...change,
  };
}

export const sampleFailure: Failure = { code: 'sample', message: 'It failed.', remedy: 'Do something.' };
