import { useStore } from 'zustand';
import { host } from '../../../app/connection/session.ts';
import { useLibrary } from '../../library/store.ts';
import { type SendBlocker, sendBlockerOf } from '../sendBlocker.ts';
import { useActiveMeter, useActiveModel, useDraft, useIsAnswering, usePassedWindow } from './useChatContext.ts';

/** Why the draft cannot be sent now; null when it can. */
export function useSendBlocker(): SendBlocker | null {
  const link = useStore(host.link);
  const documentsArriving = useLibrary((state) => state.arrivals.some(({ failure }) => failure === null));
  return sendBlockerOf({
    connected: link.phase === 'open',
    hasModel: useActiveModel() !== null,
    answering: useIsAnswering(),
    documentsArriving,
    draft: useDraft(),
    meter: useActiveMeter(),
    undecided: usePassedWindow() === 'gpu',
  });
}
