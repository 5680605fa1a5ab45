/** A conversation has passed its window: stop, a new chat from a summary, or on beyond the GPU. The person chooses. */
import { useState } from 'react';
import type { Failure } from '../../../../host/contract/entities.ts';
import { host } from '../../../app/connection/session.ts';
import { attempt } from '../../../app/failures.ts';
import { formatCount } from '../../../app/format.ts';
import { said } from '../../../app/said/said.ts';
import { Button } from '../../../ui/Button.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { Spinner } from '../../../ui/Spinner.tsx';
import { useActiveMeter } from '../hooks/useChatContext.ts';
import { chatStore } from '../store.ts';
import { chatStrings } from '../strings.ts';

const text = chatStrings.pastWindow;

interface PastWindowChoiceProps {
  conversationId: string;
  passed: 'gpu' | 'model';
  /** Why the model cannot take it. */
  refusal: Failure | null;
}

export function PastWindowChoice({ conversationId, passed, refusal }: PastWindowChoiceProps) {
  const tiers = useActiveMeter()?.tiers;
  const [summarising, setSummarising] = useState(false);
  const choose = async (choice: 'stop' | 'offload' | 'summary') => {
    const chat = await host.call('chat.pastWindow', { conversationId, choice });
    if (choice === 'summary') chatStore.getState().open(chat.id);
    else chatStore.getState().scheduleMeter(0);
  };
  const summarise = () => {
    setSummarising(true);
    attempt(choose('summary').finally(() => setSummarising(false)));
  };
  if (summarising) {
    return (
      <Notice
        tone="info"
        className="mb-2"
        message={
          <span className="flex items-center gap-2">
            <Spinner />
            {text.summarising}
          </span>
        }
        actions={<Button onClick={() => attempt(host.call('chat.stop', { conversationId }))}>{chatStrings.composer.stop}</Button>}
      />
    );
  }
  const message = passed === 'gpu' && tiers ? text.gpu(formatCount(tiers.residentTokens), formatCount(tiers.offloadedTokens)) : (refusal?.message ?? '');
  return (
    <div data-testid="past-window">
      <Notice
        tone={passed === 'gpu' ? 'warning' : 'danger'}
        className="mb-2"
        message={message}
        remedy={passed === 'gpu' ? text.gpuHint : `${said(refusal?.remedy ?? '')} ${text.modelHint}`}
        actions={
          <>
            <Button onClick={() => attempt(choose('stop'))}>{text.stop}</Button>
            <Button onClick={summarise}>{text.summary}</Button>
            {passed === 'gpu' && (
              <Button variant="primary" onClick={() => attempt(choose('offload'))}>
                {text.offload}
              </Button>
            )}
          </>
        }
      />
    </div>
  );
}
