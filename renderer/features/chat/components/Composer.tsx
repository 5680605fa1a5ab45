import { ArrowUp, FolderPlus, Paperclip, Square } from 'lucide-react';
import { type ClipboardEvent, type KeyboardEvent, useState } from 'react';
import { actions } from '../../../app/actions/actions.ts';
import { attempt } from '../../../app/failures.ts';
import { said } from '../../../app/said/said.ts';
import { strings } from '../../../app/strings.ts';
import { viewStore } from '../../../app/view.ts';
import { IconButton } from '../../../ui/IconButton.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { ReadSoFarChoice } from '../../readings/components/ReadSoFarChoice.tsx';
import { useReadSoFar } from '../../readings/readSoFar.ts';
import { SweepList } from '../../sweeps/components/SweepList.tsx';
import { SweepOffer } from '../../sweeps/components/SweepOffer.tsx';
import { receiveFiles } from '../attach.ts';
import { keyOf } from '../conversationsSlice.ts';
import { useActiveConversation, useActiveMeter, useDraft, useIsAnswering, usePassedWindow } from '../hooks/useChatContext.ts';
import { useComposerField } from '../hooks/useComposerField.ts';
import { useSendBlocker } from '../hooks/useSendBlocker.ts';
import { pastedKind } from '../pasted.ts';
import { chatStore, useChat } from '../store.ts';
import { chatStrings } from '../strings.ts';
import { ContextBar } from './ContextBar.tsx';
import { DocumentStrip } from './DocumentStrip.tsx';
import { PastWindowChoice } from './PastWindowChoice.tsx';
import { PasteOffer } from './PasteOffer.tsx';

const text = chatStrings.composer;

export function Composer() {
  const activeId = useChat((state) => state.activeId);
  const openings = useChat((state) => state.openings);
  const hasDocuments = (useActiveConversation()?.documentIds.length ?? 0) > 0;
  const draft = useDraft();
  const answering = useIsAnswering();
  const blocker = useSendBlocker();
  const soFar = useReadSoFar();
  const meter = useActiveMeter();
  const passed = usePassedWindow();
  const [pasted, setPasted] = useState<string | null>(null);
  const field = useComposerField(draft, openings);

  const send = () => {
    if (!blocker) attempt(chatStore.getState().send(draft, { onlyRead: soFar.onlyRead }));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  const onPaste = (event: ClipboardEvent) => {
    const { clipboardData } = event;
    const clip = clipboardData.getData('text/plain');
    const kind = pastedKind([...clipboardData.files].map(({ type }) => type), clip);
    if (kind === 'words') return;
    event.preventDefault();
    if (kind === 'files') attempt(receiveFiles(clipboardData));
    else setPasted(clip);
  };
  const insertPasted = (clip: string) => {
    setPasted(null);
    chatStore.getState().setDraft(keyOf(activeId), draft + clip);
    viewStore.getState().focusComposer();
  };

  return (
    <div className="mx-auto w-full max-w-[46rem] shrink-0 px-6 pt-1.5 pb-3">
      {passed !== null && activeId !== null ? (
        <PastWindowChoice key={activeId} conversationId={activeId} passed={passed} refusal={meter?.refusal ?? null} />
      ) : (
        blocker?.kind === 'does-not-fit' && <Notice tone="danger" className="mb-2" message={blocker.failure.message} remedy={blocker.failure.remedy} />
      )}
      {pasted !== null && <PasteOffer text={pasted} onInsert={() => insertPasted(pasted)} onClose={() => setPasted(null)} />}
      <SweepList conversationId={activeId} />
      <SweepOffer />
      <ReadSoFarChoice {...soFar} />
      <ContextBar />
      <div className="rounded-lg border border-line-strong bg-raised focus-within:border-accent">
        <DocumentStrip />
        <textarea
          ref={field}
          aria-label={text.label}
          aria-describedby="composer-hint"
          placeholder={hasDocuments ? text.placeholder : text.placeholderNoDocuments}
          value={draft}
          rows={1}
          onChange={(event) => chatStore.getState().setDraft(keyOf(activeId), event.target.value)}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
          className="block max-h-[35vh] w-full resize-none overflow-y-auto px-3.5 pt-2.5 pb-1 text-body outline-none focus-visible:outline-none"
        />
        <div className="flex items-center gap-2 px-2 pb-2">
          <IconButton icon={Paperclip} label={chatStrings.documents.attach} shortcut={actions.keysOf('documents.attach')} onClick={() => actions.perform('documents.attach')} />
          <IconButton icon={FolderPlus} label={strings.actions.attachFolder} onClick={() => actions.perform('documents.attachFolder')} />
          <span id="composer-hint" className="flex-1 truncate text-small text-faint">
            {blocker && blocker.kind !== 'empty' && blocker.kind !== 'does-not-fit' && !answering ? chatStrings.blockers[blocker.kind] : text.hint}
          </span>
          {answering ? (
            <IconButton icon={Square} iconSize={12} fill label={text.stop} shortcut={actions.keysOf('chat.stop')} className="bg-pressed text-text" onClick={() => actions.perform('chat.stop')} />
          ) : (
            // Not `disabled`: it stays reachable, so that its tooltip can say why it does nothing.
            <IconButton
              icon={ArrowUp}
              label={blocker ? reasonOf(blocker) : text.send}
              aria-label={text.send}
              aria-disabled={blocker !== null}
              aria-describedby="composer-hint"
              onClick={send}
              className="bg-accent text-on-accent! hover:bg-accent-hover aria-disabled:bg-pressed aria-disabled:text-faint!"
            />
          )}
        </div>
      </div>
    </div>
  );
}

function reasonOf(blocker: NonNullable<ReturnType<typeof useSendBlocker>>): string {
  return blocker.kind === 'does-not-fit' ? said(blocker.failure.message) : chatStrings.blockers[blocker.kind];
}
