import { strings } from '../../../app/strings.ts';
import { Button } from '../../../ui/Button.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { attempt } from '../../../app/failures.ts';
import { ReaderPane } from '../../reader/components/ReaderPane.tsx';
import { useReader } from '../../reader/store.ts';
import { chatStore, useChat } from '../store.ts';
import { chatStrings } from '../strings.ts';
import { AnswerAnnouncer } from './AnswerAnnouncer.tsx';
import { ChatHeader } from './ChatHeader.tsx';
import { Composer } from './Composer.tsx';
import { EmptyChat } from './EmptyChat.tsx';
import { Transcript } from './Transcript.tsx';

export function ChatScreen() {
  const activeId = useChat((state) => state.activeId);
  const hasContent = useChat(({ threads, happenings }) => {
    const thread = activeId === null ? undefined : threads[activeId];
    return thread !== undefined && activeId !== null && thread.path.length + (happenings[activeId]?.length ?? 0) > 0;
  });
  const failure = useChat((state) => (activeId === null ? undefined : state.loadFailures[activeId]));
  const readDocumentId = useReader((state) => state.documentId);
  return (
    <>
      <ChatHeader />
      <div className="relative flex min-h-0 flex-1">
        <section aria-label={chatStrings.message.conversation} className="flex min-w-0 flex-1 flex-col">
          {failure && activeId !== null ? (
            <div className="flex-1 p-6">
              <Notice
                tone="danger"
                message={failure.message}
                remedy={failure.remedy}
                actions={<Button onClick={() => attempt(chatStore.getState().loadMessages(activeId))}>{strings.common.tryAgain}</Button>}
              />
            </div>
          ) : hasContent && activeId !== null ? (
            <Transcript key={activeId} conversationId={activeId} />
          ) : (
            <EmptyChat />
          )}
          <Composer />
        </section>
        {readDocumentId !== null && <ReaderPane key={readDocumentId} documentId={readDocumentId} />}
      </div>
      <AnswerAnnouncer />
    </>
  );
}
