/** A passage in its sentence: blocks of tokens end in the middle of words. */
import { useDocumentRange } from '../hooks/useDocumentRange.ts';

const around = 60;

export function Excerpt({ documentId, start, end, className }: { documentId: string; start: number; end: number; className?: string }) {
  const from = Math.max(0, start - around);
  const found = useDocumentRange(documentId, from, end + around);
  if (found === null) return <span className={className}>…</span>;
  // Whole words at both ends of what surrounds it.
  const before = found.slice(0, start - from).replace(/^\S*\s/u, '');
  const after = found.slice(end - from).replace(/\s\S*$/u, '');
  return (
    <span className={className}>
      <span className="text-quiet">{before}</span>
      <mark className="rounded-sm bg-accent-soft text-text">{found.slice(start - from, end - from)}</mark>
      <span className="text-quiet">{after}</span>
    </span>
  );
}
