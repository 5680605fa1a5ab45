import type { Message } from '../../../../host/contract/entities.ts';
import { useChat } from '../../chat/store.ts';

/** A message of any chat that was open in this window. */
export function useMessage(messageId: string | null): Message | undefined {
  return useChat(({ threads }) => {
    if (messageId === null) return undefined;
    for (const { byId } of Object.values(threads)) if (byId[messageId]) return byId[messageId];
    return undefined;
  });
}
