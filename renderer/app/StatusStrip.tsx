/** The line at the window's foot: the GPU process, its memory by owner, downloads, the promise. */
import { clsx } from 'clsx';
import { WifiOff } from 'lucide-react';
import type { GpuMemory, WorkerStatus } from '../../host/contract/entities.ts';
import { isUnderWay, useModels } from '../features/models/store.ts';
import { ReadingStatus } from '../features/readings/components/ReadingStatus.tsx';
import { useSettings } from '../features/settings/store.ts';
import { Popover } from '../ui/Popover.tsx';
import { Tooltip } from '../ui/Tooltip.tsx';
import { actions } from './actions/actions.ts';
import { formatBytes, fractionOf } from './format.ts';
import { strings } from './strings.ts';

const text = strings.status;

export function StatusStrip() {
  const worker = useSettings((state) => state.worker);
  const offline = useSettings((state) => state.settings.offline);
  const version = useSettings((state) => state.version);
  return (
    <footer aria-label={text.label} className="flex h-6 shrink-0 items-center gap-4 overflow-hidden border-t border-line bg-canvas px-3 text-tiny whitespace-nowrap text-quiet">
      <WorkerState worker={worker} />
      {worker.memory && <MemoryInUse memory={worker.memory} kind={worker.adapter?.kind ?? 'gpu'} />}
      <LoadedModel worker={worker} />
      <ReadingStatus />
      <Downloads />
      <span className="ml-auto flex items-center gap-4">
        <Tooltip content={offline ? text.offlineHint : text.localHint} side="top">
          <button type="button" className="flex items-center gap-1 rounded-sm" onClick={() => actions.perform('settings.open')}>
            {offline && <WifiOff size={11} aria-hidden />}
            {offline ? text.offline : text.local}
          </button>
        </Tooltip>
        <span className="max-md:hidden">{text.version(version)}</span>
      </span>
    </footer>
  );
}

const dots: Record<WorkerStatus['state'], string> = {
  ready: 'bg-accent',
  starting: 'bg-part-question',
  restarting: 'bg-part-question',
  failed: 'bg-danger',
  stopped: 'bg-faint',
};

function WorkerState({ worker }: { worker: WorkerStatus }) {
  const { adapter, state } = worker;
  const label = state === 'ready' ? (adapter?.shortName ?? text.noAdapter) : strings.worker.states[state];
  return (
    <Tooltip content={adapter ? text.adapterHint(adapter.name, adapter.kind) : text.noAdapter} side="top">
      <button
        type="button"
        data-testid="worker-state"
        data-state={state}
        className="flex shrink-0 items-center gap-1.5 rounded-sm hover:text-text"
        onClick={() => actions.perform('settings.open')}
      >
        <span className={clsx('size-1.5 shrink-0 rounded-full', dots[state])} aria-hidden />
        {label}
      </button>
    </Tooltip>
  );
}

function MemoryInUse({ memory, kind }: { memory: GpuMemory; kind: 'gpu' | 'software' }) {
  return (
    <Popover
      label={text.memoryTitle(kind)}
      side="top"
      align="start"
      className="w-60 p-3"
      trigger={
        <button type="button" className="rounded-sm tabular-nums hover:text-text">
          {text.memory(formatBytes(memory.totalBytes))}
        </button>
      }
    >
      <h2 className="mb-1.5 font-semibold">{text.memoryTitle(kind)}</h2>
      <MemoryTable memory={memory} />
    </Popover>
  );
}

/** GPU memory by owner, exactly. */
export function MemoryTable({ memory }: { memory: GpuMemory }) {
  const rows = [
    [text.weights, memory.weightsBytes],
    [text.kv, memory.kvBytes],
    [text.activations, memory.activationsBytes],
    [text.staging, memory.stagingBytes],
  ] as const;
  return (
    <table className="w-full tabular-nums">
      <tbody>
        {rows.map(([label, bytes]) => (
          <tr key={label}>
            <th scope="row" className="py-0.5 text-left font-normal text-quiet">
              {label}
            </th>
            <td className="py-0.5 text-right">{formatBytes(bytes)}</td>
          </tr>
        ))}
        <tr className="border-t border-line">
          <th scope="row" className="pt-1 text-left font-medium">
            {text.total}
          </th>
          <td className="pt-1 text-right font-medium">{formatBytes(memory.totalBytes)}</td>
        </tr>
      </tbody>
    </table>
  );
}

function LoadedModel({ worker: { loadedModelId, loading } }: { worker: WorkerStatus }) {
  const modelId = loading?.modelId ?? loadedModelId;
  const name = useModels((state) => state.models.find((model) => model.id === modelId)?.name);
  return (
    <span data-testid="loaded-model" className="truncate max-md:hidden">
      {name === undefined ? text.noModelLoaded : loading ? text.loadingModel(name, percentOf(loading.doneBytes, loading.totalBytes)) : text.loadedModel(name)}
    </span>
  );
}

function percentOf(done: number, total: number): number {
  return Math.floor((fractionOf(done, total) ?? 0) * 100);
}

function Downloads() {
  const downloads = useModels((state) => state.downloads);
  const active = Object.values(downloads).find(isUnderWay);
  if (!active) return null;
  return (
    <button type="button" className="truncate rounded-sm tabular-nums hover:text-text" onClick={() => actions.perform('models.open')}>
      {text.downloading(active.name, percentOf(active.doneBytes, active.totalBytes))}
    </button>
  );
}
