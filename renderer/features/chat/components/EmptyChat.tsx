import { Paperclip } from 'lucide-react';
import { actions } from '../../../app/actions/actions.ts';
import { Button } from '../../../ui/Button.tsx';
import { EmptyState } from '../../../ui/EmptyState.tsx';
import { useModels } from '../../models/store.ts';
import { useActiveConversation } from '../hooks/useChatContext.ts';
import { chatStrings } from '../strings.ts';

const text = chatStrings.empty;

/** A chat without messages: says what comes next. */
export function EmptyChat() {
  return (
    <div className="flex min-h-0 flex-1 flex-col justify-center overflow-y-auto">
      <NextStep />
    </div>
  );
}

function NextStep() {
  const hasModels = useModels((state) => state.models.length > 0);
  const hasDocuments = (useActiveConversation()?.documentIds.length ?? 0) > 0;
  if (!hasModels) {
    const getModel = (
      <Button variant="primary" onClick={() => actions.perform('models.open')}>
        {text.getModel}
      </Button>
    );
    return (
      <EmptyState title={text.title} actions={getModel}>
        {text.noModel}
      </EmptyState>
    );
  }
  if (hasDocuments) return <EmptyState title={text.titleWithDocuments}>{text.textWithDocuments}</EmptyState>;
  const attach = (
    <Button onClick={() => actions.perform('documents.attach')}>
      <Paperclip size={14} aria-hidden />
      {text.attach}
    </Button>
  );
  return (
    <EmptyState title={text.title} actions={attach}>
      {text.text}
    </EmptyState>
  );
}
