import { type ReactNode, useEffect } from 'react';
import type { WorkerStatus } from '../../../../host/contract/entities.ts';
import { actions } from '../../../app/actions/actions.ts';
import { attempt } from '../../../app/failures.ts';
import { formatBytes } from '../../../app/format.ts';
import { strings } from '../../../app/strings.ts';
import { Button } from '../../../ui/Button.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { settingsStrings } from '../../settings/strings.ts';
import { useSettings } from '../../settings/store.ts';
import { firstRunStrings } from '../strings.ts';

const text = firstRunStrings.machine;

export function MachineSummary() {
  const worker = useSettings((state) => state.worker);
  const machine = useSettings((state) => state.machine);
  const loadMachine = useSettings((state) => state.loadMachine);
  useEffect(() => attempt(loadMachine()), [loadMachine]);
  return (
    <section aria-labelledby="first-run-machine" className="border-b border-line px-5 py-4">
      <h2 id="first-run-machine" className="text-body font-semibold">
        {text.title}
      </h2>
      {/* The advice begins with what was found. */}
      {!worker.adapter?.advice && <p className="text-quiet">{sentenceOf(worker)}</p>}
      {worker.failure && (
        <Notice
          tone="danger"
          className="mt-2"
          message={worker.failure.message}
          remedy={worker.failure.remedy}
          actions={<Button onClick={() => actions.perform('worker.restart')}>{strings.worker.restart}</Button>}
        />
      )}
      {worker.adapter?.advice && <Notice tone="info" className="mt-2" message={worker.adapter.advice} />}
      <dl className="selectable mt-3 grid grid-cols-[auto_1fr] gap-x-6 gap-y-0.5">
        {worker.adapter && <Fact label={text.adapter} title={worker.adapter.name}>{worker.adapter.shortName}</Fact>}
        {machine && (
          <>
            <Fact label={text.processor}>{settingsStrings.machine.cores(machine.cpuModel, machine.cpuCores)}</Fact>
            <Fact label={text.memory}>{text.memoryValue(formatBytes(machine.memoryBytes), formatBytes(machine.freeMemoryBytes))}</Fact>
            <Fact label={text.disk}>{text.diskValue(formatBytes(machine.diskFreeBytes))}</Fact>
          </>
        )}
      </dl>
    </section>
  );
}

function sentenceOf({ adapter, state }: WorkerStatus): string {
  if (adapter) return text[adapter.kind](adapter.shortName);
  return state === 'failed' ? text.failed : text.checking;
}

function Fact({ label, title, children }: { label: string; title?: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-quiet">{label}</dt>
      <dd className="min-w-0 truncate" title={title}>
        {children}
      </dd>
    </>
  );
}
