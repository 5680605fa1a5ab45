/** Questions, answers and what else happened, in order. Of a long conversation only what is in sight exists. */
import { ArrowDown } from 'lucide-react';
import { type KeyboardEvent, type ReactNode, memo, useMemo } from 'react';
import type { ConversationEvent } from '../../../../host/contract/chatEntities.ts';
import { Button } from '../../../ui/Button.tsx';
import { ScrollRegion } from '../../../ui/ScrollRegion.tsx';
import { useFollowEnd } from '../hooks/useFollowEnd.ts';
import { useWantedMessage } from '../hooks/useWantedMessage.ts';
import { useChat } from '../store.ts';
import { chatStrings } from '../strings.ts';
import { Answer } from './Answer.tsx';
import { EventLine } from './EventLine.tsx';
import { Question } from './Question.tsx';
import { VirtualTurns } from './VirtualTurns.tsx';

/** Up to here everything is there, so that the browser's own search finds it. */
const allThereMessages = 60;
const nothingHappened: readonly ConversationEvent[] = [];

export function Transcript({ conversationId }: { conversationId: string }) {
  const path = useChat((state) => state.threads[conversationId].path);
  const happened = useChat((state) => state.happenings[conversationId] ?? nothingHappened);
  // A new question or another alternative is shown with its end in view.
  const { scroller, content, atEnd, toEnd, leave } = useFollowEnd(path.length);
  const atBeginning = useMemo(() => happened.filter(({ afterMessageId }) => afterMessageId === null), [happened]);
  const isLong = path.length > allThereMessages;
  const renderTurn = (index: number): ReactNode => <Turn key={path[index]} conversationId={conversationId} id={path[index]} last={index === path.length - 1} happened={happened} />;
  const show = useWantedMessage(scroller, leave);
  /** At once: the browser's own way there takes a moment, in which what comes into sight is measured and moves it. */
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const region = event.currentTarget;
    if (!isLong || event.target !== region || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = region.clientHeight * 0.9;
    const top = { Home: 0, End: region.scrollHeight, PageUp: region.scrollTop - page, PageDown: region.scrollTop + page }[event.key];
    if (top === undefined) return;
    event.preventDefault();
    if (event.key === 'Home' || event.key === 'PageUp') leave();
    region.scrollTo({ top, behavior: 'instant' });
  };
  return (
    <div className="relative min-h-0 flex-1">
      <ScrollRegion ref={scroller} role="log" aria-live="off" label={chatStrings.message.messages} className="h-full" onKeyDown={onKeyDown}>
        <div ref={content} className="mx-auto max-w-[46rem] px-6 pt-6 pb-4">
          {atBeginning.map((event) => (
            <EventLine key={event.id} event={event} />
          ))}
          {isLong ? <VirtualTurns scroller={scroller} path={path} renderTurn={renderTurn} wanted={show} /> : path.map((_, index) => renderTurn(index))}
        </div>
      </ScrollRegion>
      {!atEnd && (
        <Button className="floating absolute bottom-2 left-1/2 -translate-x-1/2 rounded-full" onClick={toEnd}>
          <ArrowDown size={14} aria-hidden />
          {chatStrings.message.latest}
        </Button>
      )}
    </div>
  );
}

interface TurnProps {
  conversationId: string;
  id: string;
  last: boolean;
  happened: readonly ConversationEvent[];
}

const Turn = memo(function Turn({ conversationId, id, last, happened }: TurnProps) {
  const message = useChat((state) => state.threads[conversationId].byId[id]);
  return (
    <div data-message={id}>
      {message.role === 'user' ? <Question message={message} /> : <Answer message={message} last={last} />}
      {happened.map((event) => event.afterMessageId === id && <EventLine key={event.id} event={event} />)}
    </div>
  );
});
