/** Above the question: offers to go through a document when the question asks for all of something. */
import { sweepKindOf } from '../../../../host/contract/sweep.ts';
import { attempt } from '../../../app/failures.ts';
import { Button } from '../../../ui/Button.tsx';
import { keyOf } from '../../chat/conversationsSlice.ts';
import { useActiveConversation, useActiveModel, useDraft } from '../../chat/hooks/useChatContext.ts';
import { chatStore } from '../../chat/store.ts';
import { useLibrary } from '../../library/store.ts';
import { sweepsStore } from '../store.ts';
import { sweepsStrings as text } from '../strings.ts';

export function SweepOffer() {
  const conversation = useActiveConversation();
  const model = useActiveModel();
  const draft = useDraft();
  const documents = useLibrary((state) => state.documents);
  const [documentId] = conversation?.documentIds ?? [];
  const document = documentId === undefined ? undefined : documents[documentId];
  if (!conversation || !model || !document || sweepKindOf(draft) === null) return null;
  const start = (): void => {
    attempt(
      sweepsStore
        .getState()
        .start({ documentId: document.id, modelId: model.id, conversationId: conversation.id, question: draft.trim() })
        .then(() => chatStore.getState().setDraft(keyOf(conversation.id), '')),
    );
  };
  return (
    <div data-testid="sweep-offer" className="mb-2 flex items-center gap-3 rounded-lg border border-line bg-sunken px-3 py-2">
      <div className="min-w-0 flex-1">
        <p>{text.offer}</p>
        <p className="text-small text-quiet">{text.offerHint(document.name)}</p>
      </div>
      <Button onClick={start}>{text.start}</Button>
    </div>
  );
}
