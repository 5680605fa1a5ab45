import { ArrowDown } from 'lucide-react';
import { Button } from '../../../ui/Button.tsx';
import { ScrollRegion } from '../../../ui/ScrollRegion.tsx';
import { useFollowEnd } from '../hooks/useFollowEnd.ts';
import { useChat } from '../store.ts';
import { chatStrings } from '../strings.ts';
import { Answer } from './Answer.tsx';
import { Question } from './Question.tsx';

export function Transcript({ conversationId }: { conversationId: string }) {
  const path = useChat((state) => state.threads[conversationId].path);
  const byId = useChat((state) => state.threads[conversationId].byId);
  // A new question or another alternative is shown with its end in view.
  const { scroller, content, atEnd, toEnd } = useFollowEnd(path.length);
  return (
    <div className="relative min-h-0 flex-1">
      <ScrollRegion ref={scroller} role="log" aria-live="off" label={chatStrings.message.messages} className="h-full">
        <div ref={content} className="mx-auto max-w-[46rem] px-6 pt-6 pb-4">
          {path.map((id, index) => {
            const message = byId[id];
            return message.role === 'user' ? (
              <Question key={id} message={message} />
            ) : (
              <Answer key={id} message={message} last={index === path.length - 1} />
            );
          })}
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
