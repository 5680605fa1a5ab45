/** Looking inside one answer: its map, timeline, heads, passages, a comparison, and what all that does not prove. */
import { ArrowLeft } from 'lucide-react';
import { useEffect } from 'react';
import type { AnswerEvidence } from '../../../../host/contract/inspection.ts';
import { ScreenHeader } from '../../../app/ScreenHeader.tsx';
import { Button } from '../../../ui/Button.tsx';
import { EmptyState } from '../../../ui/EmptyState.tsx';
import { IconButton } from '../../../ui/IconButton.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { ScrollRegion } from '../../../ui/ScrollRegion.tsx';
import { Segmented } from '../../../ui/Segmented.tsx';
import { Spinner } from '../../../ui/Spinner.tsx';
import { useFocusWhenShown } from '../../../ui/useFocusWhenShown.ts';
import { useMessage } from '../hooks/useMessage.ts';
import { useRetrieval } from '../hooks/useRetrieval.ts';
import { inspectorStore, type InspectorTab, useEvidence, useInspector } from '../store.ts';
import { inspectorStrings as text } from '../strings.ts';
import { AttentionMap } from './AttentionMap.tsx';
import { CompareAnswers } from './CompareAnswers.tsx';
import { Guide } from './Guide.tsx';
import { CausalTriangle } from './CausalTriangle.tsx';
import { HeadAtlas } from './HeadAtlas.tsx';
import { PassageTable } from './PassageTable.tsx';
import { RetrievalStrips } from './RetrievalStrips.tsx';
import { Ribbons } from './Ribbons.tsx';
import { Timeline } from './Timeline.tsx';

const tabs = Object.entries(text.tabs).map(([value, label]) => ({ value: value as InspectorTab, label }));

export function InspectorScreen() {
  const messageId = useInspector((state) => state.messageId);
  const tab = useInspector((state) => state.tab);
  const known = useInspector((state) => (messageId === null ? undefined : state.known[messageId]));
  const evidence = useEvidence(messageId);
  const message = useMessage(messageId);
  const heading = useFocusWhenShown<HTMLHeadingElement>();
  useEffect(() => {
    if (messageId === null) inspectorStore.getState().close();
  }, [messageId]);
  const { close, show } = inspectorStore.getState();
  return (
    <>
      <ScreenHeader tools={<Segmented value={tab} options={tabs} onChange={show} label={text.views} />}>
        <IconButton icon={ArrowLeft} label={text.back} onClick={close} />
        <h1 ref={heading} tabIndex={-1} className="ml-1 text-body font-semibold outline-none">
          {text.title}
        </h1>
      </ScreenHeader>
      {messageId !== null && evidence && message ? (
        <Views messageId={messageId} evidence={evidence} answer={message.text} tab={tab} />
      ) : tab === 'guide' ? (
        <ScrollRegion label={text.guide.title} className="flex-1 px-6 py-5">
          <Guide />
        </ScrollRegion>
      ) : (
        <Nothing state={known?.state ?? 'waiting'} failure={known?.failure ?? null} messageId={messageId} />
      )}
    </>
  );
}

function Views({ messageId, evidence, answer, tab }: { messageId: string; evidence: AnswerEvidence; answer: string; tab: InspectorTab }) {
  const heads = useInspector((state) => state.heads);
  const overlay = useInspector((state) => state.overlay);
  const retrieval = useRetrieval(messageId, overlay && tab === 'map');
  if (tab === 'map') {
    return (
      <div className="flex min-h-0 flex-1 flex-col overflow-y-auto px-5 py-3" data-testid="inspector-map">
        <MapChoices />
        <Ribbons evidence={evidence} answer={answer} />
        {overlay && <RetrievalStrips state={retrieval} evidence={evidence} answer={answer} />}
        <AttentionMap key={JSON.stringify(heads)} messageId={messageId} evidence={evidence} answer={answer} heads={heads} retrieval={overlay ? retrieval.told : null} />
      </div>
    );
  }
  return (
    <ScrollRegion label={text.tabs[tab]} className="flex-1 px-6 py-5" data-testid={`inspector-${tab}`}>
      {tab === 'timeline' && <Timeline evidence={evidence} answer={answer} />}
      {tab === 'heads' && <HeadAtlas evidence={evidence} />}
      {tab === 'passages' && <PassageTable messageId={messageId} evidence={evidence} answer={answer} />}
      {tab === 'compare' && <CompareAnswers messageId={messageId} evidence={evidence} />}
      {tab === 'triangle' && <CausalTriangle key={JSON.stringify(heads)} messageId={messageId} evidence={evidence} heads={heads} />}
      {tab === 'guide' && <Guide />}
    </ScrollRegion>
  );
}

function MapChoices() {
  const heads = useInspector((state) => state.heads);
  const reducer = useInspector((state) => state.reducer);
  const overlay = useInspector((state) => state.overlay);
  const { choose } = inspectorStore.getState();
  const chosen = typeof heads === 'string' ? heads : 'chosen';
  const options = (['retrieval', 'all', ...(chosen === 'chosen' ? (['chosen'] as const) : [])] as const).map((value) => ({ value, label: text.headChoices[value] }));
  return (
    <div className="flex flex-wrap items-center gap-3 pb-2">
      <Segmented value={chosen} options={options} label={text.headChoice} onChange={(value) => value !== 'chosen' && choose({ heads: value })} />
      <Segmented value={reducer} options={(['sum', 'peak'] as const).map((value) => ({ value, label: text.reducers[value] }))} label={text.reducer} onChange={(value) => choose({ reducer: value })} />
      <Button aria-pressed={overlay} className="aria-pressed:bg-accent-soft" onClick={() => choose({ overlay: !overlay })}>
        {text.retrieval.show}
      </Button>
    </div>
  );
}

function Nothing({ state, failure, messageId }: { state: 'ready' | 'waiting' | 'working' | 'none'; failure: { message: string; remedy: string } | null; messageId: string | null }) {
  if (failure) {
    const again = messageId !== null && <Button onClick={() => void inspectorStore.getState().load(messageId)}>{text.lookAgain}</Button>;
    return <Notice tone="danger" className="m-6" message={failure.message} remedy={failure.remedy} actions={again} />;
  }
  if (state === 'none') return <EmptyState title={text.title}>{text.none}</EmptyState>;
  return (
    <p role="status" className="flex flex-1 items-center justify-center gap-2 text-quiet" data-testid="inspector-waiting">
      <Spinner /> {state === 'working' ? text.working : text.waiting}…
    </p>
  );
}
