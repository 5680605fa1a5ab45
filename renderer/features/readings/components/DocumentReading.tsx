/** How far a document is read, and the way to read it now: in its preview. */
import { BookOpen, Check } from 'lucide-react';
import { attempt } from '../../../app/failures.ts';
import { formatCount } from '../../../app/format.ts';
import { Button } from '../../../ui/Button.tsx';
import { readingsStore } from '../store.ts';
import { readingsStrings as text } from '../strings.ts';
import { useDocumentReading } from '../useDocumentReading.ts';
import { ReadingProgress } from './ReadingProgress.tsx';

export function DocumentReading({ documentId, name }: { documentId: string; name: string }) {
  const { model, reading, kept } = useDocumentReading(documentId);
  if (!model) return null;
  if (reading && reading.state !== 'done') {
    return (
      <div className="mt-2.5 rounded-lg border border-line bg-surface px-3 pt-1.5 pb-2">
        <ReadingProgress reading={reading} name={name} />
      </div>
    );
  }
  if (kept) {
    return (
      <p data-testid="document-kept" className="mt-2 flex items-center gap-1.5 text-small text-accent-text">
        <Check size={14} aria-hidden />
        {text.kept(model.name, formatCount(kept.tokens))}
      </p>
    );
  }
  return (
    <div className="mt-2.5 flex items-center gap-3">
      <Button aria-label={text.readNowNamed(name)} disabled={model.state === 'missing'} onClick={() => attempt(readingsStore.getState().start(documentId, model.id))}>
        <BookOpen size={14} aria-hidden />
        {text.readNow}
      </Button>
      <p className="text-small text-quiet">{text.hint}</p>
    </div>
  );
}
