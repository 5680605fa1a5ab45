/** The same on a document's chip: one button, or a check mark, and a thin line of progress. */
import { BookOpen, Check, Pause, Play } from 'lucide-react';
import { attempt } from '../../../app/failures.ts';
import { IconButton } from '../../../ui/IconButton.tsx';
import { ProgressBar } from '../../../ui/ProgressBar.tsx';
import { Tooltip } from '../../../ui/Tooltip.tsx';
import { readingFraction } from '../readingText.ts';
import { isUnderWay, readingsStore } from '../store.ts';
import { readingsStrings as text } from '../strings.ts';
import { useDocumentReading } from '../useDocumentReading.ts';

export function ChipReading({ documentId, name }: { documentId: string; name: string }) {
  const { model, reading, kept } = useDocumentReading(documentId);
  const { start, pause } = readingsStore.getState();
  if (!model || model.state === 'missing') return null;
  if (reading && isUnderWay(reading)) {
    return (
      <>
        <IconButton icon={Pause} iconSize={13} size="small" label={text.pauseNamed(name)} onClick={() => attempt(pause(reading.id))} />
        <ProgressBar fraction={readingFraction(reading)} label={text.progressNamed(name)} className="absolute! inset-x-0 bottom-0 h-0.5! rounded-none" />
      </>
    );
  }
  if (reading && reading.state !== 'done') {
    return <IconButton icon={Play} iconSize={13} size="small" label={text.resumeNamed(name)} onClick={() => attempt(start(documentId, model.id))} />;
  }
  if (kept) {
    return (
      <Tooltip content={text.keptNamed(name)}>
        <span data-testid="chip-kept" className="flex size-6 shrink-0 items-center justify-center text-accent-text">
          <Check size={14} aria-hidden />
          <span className="sr-only">{text.keptNamed(name)}</span>
        </span>
      </Tooltip>
    );
  }
  return <IconButton icon={BookOpen} iconSize={14} size="small" label={text.readNowNamed(name)} onClick={() => attempt(start(documentId, model.id))} />;
}
