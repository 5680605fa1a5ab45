import { Paperclip } from 'lucide-react';
import { actions } from '../../../app/actions/actions.ts';
import { Button } from '../../../ui/Button.tsx';
import { EmptyState } from '../../../ui/EmptyState.tsx';
import { useModels } from '../../models/store.ts';
import { chatStrings } from '../strings.ts';

const text = chatStrings.empty;

export function EmptyChat() {
  const hasModels = useModels((state) => state.models.length > 0);
  return (
    <div className="flex min-h-0 flex-1 flex-col justify-center overflow-y-auto">
      <EmptyState
        title={text.title}
        actions={
          hasModels ? (
            <Button onClick={() => actions.perform('documents.attach')}>
              <Paperclip size={14} aria-hidden />
              {text.attach}
            </Button>
          ) : (
            <Button variant="primary" onClick={() => actions.perform('models.open')}>
              {text.getModel}
            </Button>
          )
        }
      >
        <p>{hasModels ? text.text : text.noModel}</p>
      </EmptyState>
    </div>
  );
}
