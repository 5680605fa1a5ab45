/** What happened in a conversation beside questions and answers: a line across it, with what can be looked at. */
import { CircleStop, HardDrive, NotebookText } from 'lucide-react';
import type { ReactNode } from 'react';
import type { ConversationEvent, EventDetails } from '../../../../host/contract/chatEntities.ts';
import { formatCount } from '../../../app/format.ts';
import { chatStore } from '../store.ts';
import { chatStrings } from '../strings.ts';

const text = chatStrings.events;
const icons = { offloaded: HardDrive, stopped: CircleStop, continued: NotebookText, begun: NotebookText };

export function EventLine({ event: { details } }: { event: ConversationEvent }) {
  const Icon = icons[details.kind];
  return (
    <div role="note" data-testid="event" data-kind={details.kind} className="mb-5 border-y border-line py-2 text-small text-quiet">
      <div className="flex items-center gap-2">
        <Icon size={14} strokeWidth={1.75} className="shrink-0" aria-hidden />
        <span>{sentence(details)}</span>
        {(details.kind === 'continued' || details.kind === 'begun') && <OpenChat conversationId={details.conversationId}>{text.open}</OpenChat>}
      </div>
      {details.kind === 'begun' && (
        <details className="mt-1.5 ml-[22px]">
          <summary className="cursor-pointer rounded-sm">{text.summary}</summary>
          <p className="selectable mt-1 whitespace-pre-wrap">{details.summary}</p>
        </details>
      )}
    </div>
  );
}

function sentence(details: EventDetails): string {
  switch (details.kind) {
    case 'offloaded':
      return text.offloaded(formatCount(details.residentTokens), formatCount(details.offloadedTokens));
    case 'stopped':
      return text.stopped(formatCount(details.promptTokens), formatCount(details.windowTokens));
    case 'continued':
      return text.continued(details.title);
    case 'begun':
      return details.turnsLeftOut === 0 ? text.begun(details.title, details.turns) : text.begunFromPart(details.title, details.turns, details.turnsLeftOut);
  }
}

function OpenChat({ conversationId, children }: { conversationId: string; children: ReactNode }) {
  return (
    <button type="button" className="shrink-0 rounded-sm text-accent-text underline underline-offset-2" onClick={() => chatStore.getState().open(conversationId)}>
      {children}
    </button>
  );
}
