/** What a document is before it is sent: pages, characters, tokens, how long it takes to read, what it takes on disk. */
import type { ReactNode } from 'react';
import type { DocumentRecord } from '../../../../host/contract/entities.ts';
import { formatBytes, formatCount, formatWait } from '../../../app/format.ts';
import { useActiveMeter, useActiveModel } from '../../chat/hooks/useChatContext.ts';
import { useTokenCount } from '../../library/hooks/useTokenCount.ts';
import { readerStrings as text } from '../strings.ts';

export function Facts({ document }: { document: DocumentRecord }) {
  const model = useActiveModel();
  const meter = useActiveMeter();
  const tokens = useTokenCount(document.id, model?.id ?? null);
  const speed = meter?.readingTokensPerSecond ?? null;
  const memoryBytes = tokens !== null && meter ? tokens * meter.keptBytesPerToken : null;
  return (
    <dl data-testid="document-facts" className="selectable mt-1 flex flex-wrap gap-x-5 gap-y-0.5 text-small tabular-nums">
      {document.unit !== 'part' && <Fact label={text.unitsOf(document.unit)}>{formatCount(document.pages)}</Fact>}
      <Fact label={text.characters}>{formatCount(document.characters)}</Fact>
      <Fact label={text.tokens}>{tokens === null ? (model ? text.counting : text.noModel) : formatCount(tokens)}</Fact>
      {tokens !== null && meter && <Fact label={text.readingTime}>{speed ? formatWait(tokens / speed) : text.unknownSpeed}</Fact>}
      <Fact label={text.keptOnDisk}>{memoryBytes ? text.aboutKept(formatBytes(document.keptBytes), formatBytes(memoryBytes)) : formatBytes(document.keptBytes)}</Fact>
    </dl>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="flex gap-1.5">
      <dt className="text-faint">{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
