/** Above the question, while documents are not read to their end: answer from what is read so far, or read the rest first. */
import { formatCount } from '../../../app/format.ts';
import { Switch } from '../../../ui/Switch.tsx';
import { useLibrary } from '../../library/store.ts';
import type { ReadSoFar } from '../readSoFar.ts';
import { readingsStrings } from '../strings.ts';

const text = readingsStrings.soFar;

export function ReadSoFarChoice({ unfinished, onlyRead, choose }: ReadSoFar) {
  const documents = useLibrary((state) => state.documents);
  if (unfinished.length === 0) return null;
  const read = unfinished.map(({ documentId, doneTokens, totalTokens }) => text.read(documents[documentId]?.name ?? readingsStrings.unknownDocument, formatCount(doneTokens), formatCount(totalTokens)));
  return (
    <div data-testid="read-so-far" className="mb-2 flex items-center gap-3 rounded-lg border border-line bg-sunken px-3 py-2">
      <div className="min-w-0 flex-1">
        <p>{text.label}</p>
        <p id="read-so-far-hint" className="text-small text-quiet">
          {onlyRead ? read.join('; ') : text.waits}
        </p>
      </div>
      <Switch checked={onlyRead} onCheckedChange={choose} label={text.label} describedBy="read-so-far-hint" />
    </div>
  );
}
