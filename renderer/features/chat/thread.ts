/**
 * A conversation as the interface holds it: every message it has heard of, and the path from the
 * first question to the active answer. Pure functions; the store applies them.
 */
import type { Message } from '../../../host/contract/entities.ts';

export interface Thread {
  readonly byId: Readonly<Record<string, Message>>;
  readonly path: readonly string[];
}

export const emptyThread: Thread = { byId: {}, path: [] };

/** The host's whole active path, as it answers `conversations.messages` and `chat.select`. */
export function withPath(thread: Thread, messages: readonly Message[]): Thread {
  // Copied once: a chat may have thousands of messages.
  const byId = { ...thread.byId };
  for (const message of messages) {
    byId[message.id] = newerOf(byId[message.id], message);
    updateSiblings(byId, message);
  }
  return { byId, path: messages.map((message) => message.id) };
}

/**
 * A message that was added or changed. A message not heard of before joins the path, because the
 * newest alternative is the active one; a known one off the path stays off it.
 */
export function withMessage(thread: Thread, message: Message): Thread {
  const known = thread.byId[message.id];
  const byId = { ...thread.byId, [message.id]: newerOf(known, message) };
  updateSiblings(byId, message);
  if (thread.path.includes(message.id)) return { byId, path: thread.path };
  const isNew = !known && (message.role === 'user' || message.state === 'streaming');
  return { byId, path: isNew ? pathTo(thread.path, message) : thread.path };
}

/** Makes a message the end of the path, as the results of send, edit and regenerate do. */
export function withActive(thread: Thread, message: Message): Thread {
  const placed = withMessage(thread, message);
  return placed.path.includes(message.id) ? placed : { byId: placed.byId, path: pathTo(placed.path, message) };
}

/** Threads in the memory of the window: one that was shown longer ago is fetched again when it is opened. */
export const keptThreads = 20;

/** The thread that is shown now comes last; of the others the oldest go, but for those with an answer under way. */
export function withShown(threads: Readonly<Record<string, Thread>>, conversationId: string, most = keptThreads): Readonly<Record<string, Thread>> {
  const { [conversationId]: shown, ...others } = threads;
  if (!shown) return threads;
  const idle = Object.keys(others).filter((id) => !streamingAnswerOf(others[id]));
  const gone = new Set(idle.slice(0, Math.max(0, Object.keys(others).length + 1 - most)));
  return { ...Object.fromEntries(Object.entries(others).filter(([id]) => !gone.has(id))), [conversationId]: shown };
}

export function messagesOf(thread: Thread): Message[] {
  return thread.path.map((id) => thread.byId[id]);
}

/** The answer under way in this conversation, if there is one on the active path. */
export function streamingAnswerOf(thread: Thread | undefined): Message | null {
  if (!thread) return null;
  const last = thread.byId[thread.path[thread.path.length - 1]];
  return last?.state === 'streaming' ? last : null;
}

function pathTo(path: readonly string[], message: Message): readonly string[] {
  if (message.parentId === null) return [message.id];
  const parent = path.indexOf(message.parentId);
  return parent < 0 ? path : [...path.slice(0, parent + 1), message.id];
}

/** While an answer streams, the deltas may be ahead of a message that was sent before them. */
function newerOf(known: Message | undefined, message: Message): Message {
  const ahead = known?.state === 'streaming' && message.state === 'streaming' && known.text.length > message.text.length;
  return ahead && known.text.startsWith(message.text) ? { ...message, text: known.text } : message;
}

/** A new alternative changes the count its siblings show. */
function updateSiblings(byId: Record<string, Message>, message: Message): void {
  for (const [index, id] of message.siblingIds.entries()) {
    const sibling = byId[id];
    if (!sibling || id === message.id || sibling.siblingIds.length === message.siblingIds.length) continue;
    byId[id] = { ...sibling, siblingIds: message.siblingIds, siblingIndex: index };
  }
}
