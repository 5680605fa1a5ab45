import type { ReactNode } from 'react';
import type { AdapterReport } from '../../../../host/contract/entities.ts';
import { MemoryTable } from '../../../app/StatusStrip.tsx';
import { actions } from '../../../app/actions/actions.ts';
import { formatCount } from '../../../app/format.ts';
import { strings } from '../../../app/strings.ts';
import { Button } from '../../../ui/Button.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { useSettings } from '../store.ts';
import { settingsStrings } from '../strings.ts';
import { FactRow, SettingSection } from './SettingRow.tsx';

const text = settingsStrings.gpu;

export function GpuReport() {
  const worker = useSettings((state) => state.worker);
  const { adapter, memory, failure } = worker;
  return (
    <SettingSection title={text.title} tools={<Button onClick={() => actions.perform('worker.restart')}>{text.restart}</Button>}>
      {failure && <Notice tone="danger" message={failure.message} remedy={failure.remedy} className="my-2.5" />}
      {adapter?.advice && <Notice tone="info" message={adapter.advice} className="my-2.5" />}
      <dl className="py-1">
        <FactRow label={text.state}>{strings.worker.states[worker.state]}</FactRow>
        {adapter ? <AdapterFacts adapter={adapter} /> : <FactRow label={text.adapter}>{text.none}</FactRow>}
        <FactRow label={text.memory}>{memory && memory.totalBytes > 0 ? <div className="max-w-60"><MemoryTable memory={memory} /></div> : text.noMemory}</FactRow>
      </dl>
    </SettingSection>
  );
}

function AdapterFacts({ adapter }: { adapter: AdapterReport }) {
  const limits = Object.entries(adapter.limits);
  return (
    <>
      <FactRow label={text.adapter}>{adapter.name}</FactRow>
      <FactRow label={text.kind}>{text.kinds[adapter.kind]}</FactRow>
      <FactRow label={text.vendor}>{adapter.vendor || strings.common.unknown}</FactRow>
      <FactRow label={text.architecture}>{adapter.architecture || strings.common.unknown}</FactRow>
      <FactRow label={text.driver}>{adapter.driver || strings.common.unknown}</FactRow>
      <FactRow label={text.features}>
        <Folded summary={text.featureCount(adapter.features.length)}>{adapter.features.join(', ')}</Folded>
      </FactRow>
      <FactRow label={text.limits}>
        <Folded summary={text.limitCount(limits.length)}>
          <table className="tabular-nums">
            <tbody>
              {limits.map(([name, value]) => (
                <tr key={name}>
                  <th scope="row" className="pr-4 text-left font-normal break-all text-quiet">
                    {name}
                  </th>
                  <td className="text-right">{formatCount(value)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Folded>
      </FactRow>
    </>
  );
}

function Folded({ summary, children }: { summary: string; children: ReactNode }) {
  return (
    <details>
      <summary className="cursor-pointer rounded-sm">{summary}</summary>
      <div className="mt-1 text-small text-quiet">{children}</div>
    </details>
  );
}
