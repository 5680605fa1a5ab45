/** A reading that is not over: state, progress, and what can be done about it. */
import type { Reading } from '../../../../host/contract/entities.ts';
import { Notice } from '../../../ui/Notice.tsx';
import { ProgressBar } from '../../../ui/ProgressBar.tsx';
import { readingDetails, readingFraction } from '../readingText.ts';
import { readingsStrings as text } from '../strings.ts';
import { ReadingControls } from './ReadingControls.tsx';

interface ReadingProgressProps {
  reading: Reading;
  /** Of the document. */
  name: string;
  /** Where it stands among others: the state is then one of the details. */
  heading?: { title: string; model: string };
}

export function ReadingProgress({ reading, name, heading }: ReadingProgressProps) {
  const state = text.states[reading.state];
  const details = heading ? [state, ...readingDetails(reading), text.by(heading.model)] : readingDetails(reading);
  return (
    <div data-testid="reading" data-state={reading.state}>
      <div className="mb-1.5 flex items-center justify-between gap-3">
        <div className="min-w-0 flex-1 truncate font-medium">{heading?.title ?? state}</div>
        <ReadingControls reading={reading} name={name} />
      </div>
      <ProgressBar fraction={readingFraction(reading)} label={text.progressNamed(name)} />
      <p className="dotted mt-1.5 min-h-[1.125rem] text-small text-quiet tabular-nums">
        {details.map((detail) => (
          <span key={detail}>{detail}</span>
        ))}
      </p>
      {reading.failure && (
        <Notice tone={reading.state === 'failed' ? 'danger' : 'warning'} className="mt-2" message={reading.failure.message} remedy={reading.failure.remedy} />
      )}
    </div>
  );
}
