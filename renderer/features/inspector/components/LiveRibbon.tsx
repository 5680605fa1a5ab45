/** Beside the reader's pages: where in this document the answer that is being written looks. */
import { useChat } from '../../chat/store.ts';
import { liveProfile } from '../liveAnswer.ts';
import { useLive } from '../liveStore.ts';
import { inspectorStrings } from '../strings.ts';
import { RibbonStrip } from './Ribbons.tsx';

export function LiveRibbon({ documentId }: { documentId: string }) {
  const writing = useChat(({ threads }) => {
    for (const { byId } of Object.values(threads)) for (const message of Object.values(byId)) if (message.role === 'assistant' && message.state === 'streaming') return message.id;
    return null;
  });
  const live = useLive(writing);
  const index = live?.view.documents.findIndex((document) => document.documentId === documentId) ?? -1;
  if (!live || index < 0) return null;
  return (
    <div data-testid="reader-ribbon" className="mt-2">
      <RibbonStrip document={live.view.documents[index]} profile={liveProfile(live, index, 'latest')} label={inspectorStrings.live.latest} name={inspectorStrings.live.now} />
    </div>
  );
}
