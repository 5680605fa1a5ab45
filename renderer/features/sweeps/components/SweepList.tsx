/** The jobs of a chat that go through its documents, above the question; each opens what it found. */
import { Pause, Play, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { Sweep } from '../../../../host/contract/sweep.ts';
import { attempt } from '../../../app/failures.ts';
import { Button } from '../../../ui/Button.tsx';
import { IconButton } from '../../../ui/IconButton.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { ProgressBar } from '../../../ui/ProgressBar.tsx';
import { coverageOf, sweepsStore, useSweeps } from '../store.ts';
import { sweepsStrings as text } from '../strings.ts';
import { SweepResults } from './SweepResults.tsx';

export function SweepList({ conversationId }: { conversationId: string | null }) {
  const all = useSweeps((state) => state.sweeps);
  const sweeps = all.filter((sweep) => sweep.conversationId === conversationId && conversationId !== null);
  if (sweeps.length === 0) return null;
  return (
    <section aria-label={text.label} className="mb-2 max-h-48 space-y-2 overflow-y-auto">
      {sweeps.map((sweep) => (
        <SweepRow key={sweep.id} sweep={sweep} />
      ))}
    </section>
  );
}

function SweepRow({ sweep }: { sweep: Sweep }) {
  const [open, setOpen] = useState(false);
  const { read, all } = coverageOf(sweep);
  const { pause, resume, remove } = sweepsStore.getState();
  const goesOn = sweep.state === 'queued' || sweep.state === 'running';
  return (
    <div data-testid="sweep" data-state={sweep.state} className="rounded-lg border border-line bg-sunken px-3 py-2">
      <div className="flex items-center gap-2">
        <p className="min-w-0 flex-1 truncate font-medium">{sweep.question}</p>
        <Button onClick={() => setOpen(true)}>{text.open}</Button>
        {goesOn && <IconButton icon={Pause} label={text.pause} onClick={() => attempt(pause(sweep.id))} />}
        {!goesOn && sweep.state !== 'done' && <IconButton icon={Play} label={text.resume} onClick={() => attempt(resume(sweep.id))} />}
        <IconButton icon={Trash2} label={text.remove} onClick={() => attempt(remove(sweep.id))} />
      </div>
      {sweep.state !== 'done' && <ProgressBar fraction={read / Math.max(1, all)} label={text.progressOf(sweep.question)} className="mt-1.5" />}
      <p className="mt-1 text-small text-quiet tabular-nums">
        {text.states[sweep.state]} · {text.progress(read, all)} · {text.found(sweep.items.length)}
      </p>
      {sweep.failure && <Notice tone="danger" className="mt-2" message={sweep.failure.message} remedy={sweep.failure.remedy} />}
      <SweepResults sweep={sweep} open={open} onOpenChange={setOpen} />
    </div>
  );
}
