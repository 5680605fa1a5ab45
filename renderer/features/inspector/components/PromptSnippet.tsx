/** The text of a document around a position of the prompt. */
import type { AnswerEvidence } from '../../../../host/contract/inspection.ts';
import { useDocumentRange } from '../hooks/useDocumentRange.ts';
import { placeOf } from '../profile.ts';
import { inspectorStrings } from '../strings.ts';

const around = 70;

export function PromptSnippet({ evidence, position }: { evidence: AnswerEvidence; position: number }) {
  const place = placeOf(evidence, position);
  const start = place?.document.blockStarts[place.block] ?? 0;
  const end = place?.document.blockStarts[place.block + 1] ?? 0;
  const from = Math.max(0, start - around);
  const found = useDocumentRange(place?.document.documentId ?? null, from, end + around);
  if (!place) return <span className="block text-faint">{inspectorStrings.map.outside}</span>;
  if (found === null) return <span className="text-faint">…</span>;
  return (
    <span className="block truncate">
      <span className="text-faint">{found.slice(0, start - from)}</span>
      <mark className="rounded-sm bg-accent-soft px-0.5 text-text">{found.slice(start - from, end - from)}</mark>
      <span className="text-faint">{found.slice(end - from)}</span>
    </span>
  );
}
