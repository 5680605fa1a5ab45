import { clsx } from 'clsx';
import { RotateCcw } from 'lucide-react';
import { memo } from 'react';
import type { Failure, Message, PartlyRead } from '../../../../host/contract/entities.ts';
import { splitReasoning } from '../../../../host/contract/reasoning.ts';
import { attempt } from '../../../app/failures.ts';
import { formatCount } from '../../../app/format.ts';
import { said } from '../../../app/said/said.ts';
import { strings } from '../../../app/strings.ts';
import { Button } from '../../../ui/Button.tsx';
import { CopyButton } from '../../../ui/CopyButton.tsx';
import { IconButton } from '../../../ui/IconButton.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { Citations } from '../../inspector/components/Citations.tsx';
import { LiveAttention } from '../../inspector/components/LiveAttention.tsx';
import { useIsAnswering } from '../hooks/useChatContext.ts';
import { chatStore, useChat } from '../store.ts';
import { Markdown } from '../markdown/Markdown.tsx';
import { Reasoning } from '../markdown/Reasoning.tsx';
import { chatStrings } from '../strings.ts';
import { Alternatives } from './Alternatives.tsx';
import { AnswerPhase } from './AnswerPhase.tsx';
import { Statistics } from './Statistics.tsx';

const text = chatStrings.message;

export const Answer = memo(function Answer({ message, last }: { message: Message; last: boolean }) {
  const streaming = message.state === 'streaming';
  const { reasoning, answer, open } = splitReasoning(message.text);
  return (
    <article aria-label={text.answer} aria-busy={streaming} data-testid="answer" data-state={message.state} className={clsx('mb-4', !last && 'turn')}>
      {reasoning !== null && <Reasoning source={reasoning} open={open && streaming} />}
      {answer !== '' && <Markdown source={answer} streaming={streaming} />}
      {streaming ? <AnswerPhase message={message} /> : <Ending message={message} />}
      <LiveAttention message={message} />
      {message.statistics?.notKept && <NotKept failure={message.statistics.notKept} />}
      {!streaming && message.statistics && message.statistics.partlyRead.length > 0 && <PartlyReadNotice message={message} documents={message.statistics.partlyRead} />}
      {!streaming && <AnswerCitations message={message} />}
      {!streaming && <AnswerFooter message={message} last={last} />}
    </article>
  );
});

function AnswerCitations({ message }: { message: Message }) {
  const hasDocuments = useChat((state) => (state.conversations.find(({ id }) => id === message.conversationId)?.documentIds.length ?? 0) > 0);
  return <Citations message={message} hasDocuments={hasDocuments} />;
}

/** Reading goes on where there is no room to keep it; it says so. */
function NotKept({ failure }: { failure: Failure }) {
  return <Notice tone="warning" className="mt-3" message={chatStrings.statistics.notKept} remedy={`${said(failure.message)} ${said(failure.remedy)}`} />;
}

/** What the answer does not know of, because it did not wait for it. */
function PartlyReadNotice({ message, documents }: { message: Message; documents: readonly PartlyRead[] }) {
  const answering = useIsAnswering();
  const parts = documents.map(({ name, readTokens, tokens }) => chatStrings.statistics.partlyRead(name, formatCount(readTokens), formatCount(tokens)));
  return (
    <Notice
      tone="info"
      className="mt-3"
      message={parts.join(' ')}
      actions={
        <Button disabled={answering} onClick={() => attempt(chatStore.getState().regenerate(message.id))}>
          <RotateCcw size={13} aria-hidden />
          {chatStrings.statistics.readAll}
        </Button>
      }
    />
  );
}

/** What there is to say when an answer did not come to its natural end. */
function Ending({ message }: { message: Message }) {
  const tryAgain = <TryAgain messageId={message.id} />;
  if (message.state === 'failed') {
    return (
      <Notice
        tone="danger"
        className="mt-3"
        message={message.failure?.message ?? text.failedWithoutReason}
        remedy={message.failure?.remedy}
        actions={tryAgain}
      />
    );
  }
  if (message.state === 'interrupted') {
    return (
      <Notice
        tone="warning"
        className="mt-3"
        message={message.failure?.message ?? text.interrupted}
        remedy={message.failure?.remedy ?? text.interruptedRemedy}
        actions={tryAgain}
      />
    );
  }
  if (message.state === 'stopped') {
    return (
      <p className="mt-2 flex items-center gap-3 text-quiet">
        {text.stopped}
        {tryAgain}
      </p>
    );
  }
  return null;
}

function TryAgain({ messageId }: { messageId: string }) {
  const answering = useIsAnswering();
  return (
    <Button disabled={answering} onClick={() => attempt(chatStore.getState().regenerate(messageId))}>
      <RotateCcw size={13} aria-hidden />
      {strings.common.tryAgain}
    </Button>
  );
}

function AnswerFooter({ message, last }: { message: Message; last: boolean }) {
  const answering = useIsAnswering();
  // Older answers know it from their statistics alone.
  const modelName = message.modelName ?? message.statistics?.modelName;
  return (
    <footer className="group/footer mt-1.5 -ml-1 flex min-h-6 flex-wrap items-center gap-x-1 text-small text-faint">
      {message.text !== '' && <CopyButton text={() => splitReasoning(message.text).answer} label={text.copyAnswer} />}
      {/* An answer that did not come to its end has “Try again” in its place. */}
      {message.state === 'complete' && (
        <IconButton
          icon={RotateCcw}
          label={text.regenerate}
          size="small"
          iconSize={14}
          disabled={answering}
          onClick={() => attempt(chatStore.getState().regenerate(message.id))}
        />
      )}
      <Alternatives message={message} />
      {modelName && (
        <span data-testid="answer-model" title={text.model(modelName)} className="pl-1">
          {modelName}
        </span>
      )}
      {message.statistics && <Statistics statistics={message.statistics} quiet={!last} />}
    </footer>
  );
}
