/** Where the answer is: queued, loading, reading, answering, each with its progress and a way out. */
import { Square } from 'lucide-react';
import type { Message } from '../../../../host/contract/entities.ts';
import { actions } from '../../../app/actions/actions.ts';
import { Button } from '../../../ui/Button.tsx';
import { ProgressBar } from '../../../ui/ProgressBar.tsx';
import { phaseText } from '../phase.ts';
import { useChat } from '../store.ts';
import { chatStrings } from '../strings.ts';

export function AnswerPhase({ message }: { message: Message }) {
  const progress = useChat((state) => state.progress[message.id]);
  const { title, details, fraction } = phaseText(progress);
  const detailItems = details.map((detail) => <span key={detail}>{detail}</span>);
  if (fraction === undefined || message.text !== '') {
    return (
      <p data-testid="answer-phase" data-phase={progress?.phase} className="dotted mt-2 text-small text-faint tabular-nums">
        <span>{title}</span>
        {detailItems}
      </p>
    );
  }
  return (
    <div data-testid="answer-phase" data-phase={progress?.phase} className="max-w-md rounded-lg border border-line px-3.5 py-2.5">
      <div className="mb-2 flex items-center justify-between">
        <span className="font-medium">{title}</span>
        <Button variant="ghost" className="-my-1 -mr-1.5 text-quiet" onClick={() => actions.perform('chat.stop')}>
          <Square size={11} fill="currentColor" aria-hidden />
          {chatStrings.composer.stop}
        </Button>
      </div>
      <ProgressBar fraction={fraction} label={title} />
      <p className="dotted mt-1.5 min-h-[1.125rem] text-small text-quiet tabular-nums">{detailItems}</p>
    </div>
  );
}
