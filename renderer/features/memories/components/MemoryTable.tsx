import { Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { MemoryRecord } from '../../../../host/contract/entities.ts';
import { attempt } from '../../../app/failures.ts';
import { formatAge, formatBytes, formatCount, formatDateAndTime } from '../../../app/format.ts';
import { ConfirmDialog } from '../../../ui/ConfirmDialog.tsx';
import { IconButton } from '../../../ui/IconButton.tsx';
import { ResumeMemory } from '../../readings/components/ResumeMemory.tsx';
import { deletionText, memoryChats, memoryTitle } from '../memoryText.ts';
import { memoriesStore } from '../store.ts';
import { memoriesStrings as text } from '../strings.ts';

export function MemoryTable({ memories }: { memories: readonly MemoryRecord[] }) {
  const [now] = useState(() => Date.now());
  return (
    <table className="w-full border-b border-line tabular-nums">
      <thead>
        <tr className="text-small text-faint [&>th]:py-1 [&>th]:pr-4 [&>th]:text-left [&>th]:font-normal">
          <th scope="col">{text.columns.name}</th>
          <th scope="col" className="max-md:hidden">
            {text.columns.model}
          </th>
          <th scope="col">{text.columns.tokens}</th>
          <th scope="col">{text.columns.size}</th>
          <th scope="col" className="max-md:hidden">
            {text.columns.used}
          </th>
          <th scope="col">
            <span className="sr-only">{text.columns.tools}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {memories.map((memory) => (
          <MemoryRow key={memory.id} memory={memory} now={now} />
        ))}
      </tbody>
    </table>
  );
}

function MemoryRow({ memory, now }: { memory: MemoryRecord; now: number }) {
  const cell = 'py-2 pr-4 align-top';
  const state = text.states[memory.state];
  const sparse = memory.sparseReading;
  return (
    <tr data-testid="memory" data-state={memory.state} className="border-t border-line">
      <th scope="row" className={`${cell} text-left font-normal normal-nums`}>
        <span className="font-medium break-words">{memoryTitle(memory)}</span>
        {memoryChats(memory).map((chat) => (
          <span key={chat} className="block text-small text-faint">
            {chat}
          </span>
        ))}
        <span className="block text-small text-faint">{text.read(formatDateAndTime(memory.createdAtMs))}</span>
        {sparse && <span className="block text-small text-quiet">{text.sparsely(Math.round(100 * sparse.share), formatCount(sparse.fromTokens))}</span>}
        {state && <span className={`block text-small ${memory.state === 'damaged' ? 'text-danger-text' : 'text-quiet'}`}>{state}</span>}
      </th>
      <td className={`${cell} normal-nums max-md:hidden`}>{memory.modelName ?? <span className="text-faint">{text.unknownModel}</span>}</td>
      <td className={`${cell} whitespace-nowrap`}>{formatCount(memory.tokens)}</td>
      <td className={`${cell} whitespace-nowrap`}>{formatBytes(memory.bytes)}</td>
      <td className={`${cell} whitespace-nowrap max-md:hidden`}>{formatAge(memory.lastUsedAtMs, now)}</td>
      <td className="py-1.5 text-right whitespace-nowrap">
        {memory.state === 'reading' && <ResumeMemory memory={memory} />}
        <DeleteButton memory={memory} />
      </td>
    </tr>
  );
}

function DeleteButton({ memory }: { memory: MemoryRecord }) {
  const [asking, setAsking] = useState(false);
  const name = memoryTitle(memory);
  return (
    <>
      <IconButton icon={Trash2} label={text.deleteNamed(name)} onClick={() => setAsking(true)} />
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={text.deleteTitle(name)}
        description={deletionText(memory)}
        confirmLabel={text.delete}
        onConfirm={() => attempt(memoriesStore.getState().remove(memory.id))}
      />
    </>
  );
}
