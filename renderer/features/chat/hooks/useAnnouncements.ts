import { useEffect, useRef, useState } from 'react';
import { splitReasoning } from '../../../../host/contract/reasoning.ts';
import { splitBlocks } from '../markdown/blocks.ts';
import { plainText } from '../plainText.ts';
import { useChat } from '../store.ts';
import { chatStrings } from '../strings.ts';

const text = chatStrings.announce;

/**
 * What a screen reader should say of the answer under way: each phase once, then each paragraph when
 * it is complete, then how it ended. Never token by token.
 */
export function useAnnouncements(): { key: number; text: string }[] {
  const [announcements, setAnnouncements] = useState<{ key: number; text: string }[]>([]);
  const last = useChat((state) => {
    const thread = state.activeId === null ? undefined : state.threads[state.activeId];
    return thread?.byId[thread.path[thread.path.length - 1]];
  });
  const phase = useChat((state) => (last ? state.progress[last.id]?.phase : undefined));
  const said = useRef({ messageId: '', phase: '', blocks: 0, ended: true, count: 0 });

  useEffect(() => {
    const say = (words: string) => {
      const key = said.current.count++;
      setAnnouncements((before) => [...before.slice(-3), { key, text: words }]);
    };
    if (!last || last.role !== 'assistant') return;
    const streaming = last.state === 'streaming';
    if (last.id !== said.current.messageId) {
      said.current = { ...said.current, messageId: last.id, phase: '', blocks: 0, ended: !streaming };
    }
    if (said.current.ended) return;
    if (streaming && phase && phase !== said.current.phase) {
      said.current.phase = phase;
      say(text[phase]);
    }
    const blocks = splitBlocks(splitReasoning(last.text).answer);
    const complete = streaming ? blocks.length - 1 : blocks.length;
    for (; said.current.blocks < complete; said.current.blocks++) say(plainText(blocks[said.current.blocks]));
    if (streaming) return;
    said.current.ended = true;
    say(last.state === 'complete' ? text.complete : last.state === 'stopped' ? text.stopped : text.failed);
  }, [last, phase]);
  return announcements;
}
