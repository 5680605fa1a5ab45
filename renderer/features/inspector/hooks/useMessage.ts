import { useEffect, useState } from 'react';
import type { Message } from '../../../../host/contract/entities.ts';
import { host } from '../../../app/connection/session.ts';
import { reportFailure } from '../../../app/failures.ts';
import { useChat } from '../../chat/store.ts';

/** A message of any chat that was open in this window. */
export function useMessage(messageId: string | null): Message | undefined {
  return useChat(({ threads }) => {
    if (messageId === null) return undefined;
    for (const { byId } of Object.values(threads)) if (byId[messageId]) return byId[messageId];
    return undefined;
  });
}

/** A message that may be on a branch that is not shown. */
export function useStoredMessage(messageId: string): Message | undefined {
  const [stored, setStored] = useState<Message>();
  useEffect(() => {
    let wanted = true;
    host.call('chat.message', { messageId }).then((message) => wanted && setStored(message), reportFailure);
    return () => {
      wanted = false;
    };
  }, [messageId]);
  return stored?.id === messageId ? stored : undefined;
}
