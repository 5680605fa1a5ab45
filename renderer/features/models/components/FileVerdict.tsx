/** Whether a file runs here, why, and what it takes of what, in bytes. */
import { clsx } from 'clsx';
import { CircleAlert, CircleCheck, CircleSlash, Layers } from 'lucide-react';
import type { Verdict } from '../../../../host/contract/hub.ts';
import { formatBytes, formatCount } from '../../../app/format.ts';
import { said } from '../../../app/said/said.ts';
import { Popover } from '../../../ui/Popover.tsx';
import { Spinner } from '../../../ui/Spinner.tsx';
import type { FileVerdict } from '../hubStore.ts';
import { hubStrings as text } from '../hubStrings.ts';
import { LayerSight } from './LayerSight.tsx';

const looks = {
  fits: { icon: CircleCheck, colour: 'text-accent-text' },
  offloads: { icon: Layers, colour: 'text-warning-text' },
  'too-large': { icon: CircleAlert, colour: 'text-danger-text' },
  unsupported: { icon: CircleSlash, colour: 'text-danger-text' },
} as const;

export function FileVerdictView({ judged, label }: { judged: FileVerdict | undefined; label: string }) {
  if (!judged || judged.state === 'asking') {
    return (
      <p className="flex items-center gap-2 text-small text-quiet">
        <Spinner />
        {text.judging}
      </p>
    );
  }
  if (judged.state === 'failed') {
    return (
      <p className="selectable text-small">
        <span className="block text-danger-text">{said(judged.failure.message)}</span>
        <span className="text-quiet">{said(judged.failure.remedy)}</span>
      </p>
    );
  }
  const { verdict } = judged;
  const { icon: Icon, colour } = looks[verdict.level];
  return (
    <div data-testid="verdict" data-level={verdict.level}>
      {verdict.level === 'unsupported' ? (
        <p className={clsx('flex items-center gap-1.5 font-medium', colour)}>
          <Icon size={15} aria-hidden />
          {text.level(verdict.level)}
        </p>
      ) : (
        <Popover
          label={text.figures(label)}
          align="start"
          className="w-80 p-3"
          trigger={
            <button type="button" aria-label={`${text.level(verdict.level)}: ${text.figures(label)}`} className={clsx('-ml-1 flex items-center gap-1.5 rounded-md px-1 font-medium underline-offset-2 hover:underline', colour)}>
              <Icon size={15} aria-hidden />
              {text.level(verdict.level)}
            </button>
          }
        >
          <Figures verdict={verdict} />
        </Popover>
      )}
      <p className="selectable max-w-prose text-small text-quiet">{said(verdict.reason)}</p>
    </div>
  );
}

function Figures({ verdict }: { verdict: Verdict }) {
  const { weightsBytes, kv, workingBytes, gpu, ram, disk, headerBytes, contextTokens } = verdict;
  const onGpu = gpu.neededBytes > 0;
  const parts: [string, number][] = [
    [text.weights, weightsBytes],
    [onGpu ? text.kvGpu : text.kvAdapter, kv.gpuBytes],
    [text.working, workingBytes],
    [text.kvRam, kv.ramBytes],
    [text.kvDisk, kv.diskBytes],
  ];
  const sums: [string, { neededBytes: number; availableBytes: number | null }][] = [
    ...(onGpu ? [[text.gpu, gpu] as [string, typeof gpu]] : []),
    [text.ram, ram],
    [text.disk, disk],
  ];
  const amount = (bytes: number | null) => (bytes === null ? null : formatBytes(bytes));
  return (
    <>
      <p className="mb-1.5 font-medium">{text.tokens(formatCount(contextTokens))}</p>
      <dl className="tabular-nums">
        {parts.map(
          ([name, bytes]) =>
            bytes > 0 && (
              <div key={name} className="flex justify-between gap-4 py-0.5">
                <dt className="text-quiet">{name}</dt>
                <dd>{formatBytes(bytes)}</dd>
              </div>
            ),
        )}
      </dl>
      <dl className="mt-1.5 border-t border-line pt-1.5 tabular-nums">
        {sums.map(([name, { neededBytes, availableBytes }]) => (
          <div key={name} className="flex justify-between gap-4 py-0.5">
            <dt className="text-quiet">{name}</dt>
            <dd>{text.ofThese(formatBytes(neededBytes), amount(availableBytes))}</dd>
          </div>
        ))}
      </dl>
      <LayerSight layers={verdict.layers} className="mt-1.5 border-t border-line pt-1.5 text-small" />
      {headerBytes > 0 && <p className="mt-1.5 text-small text-faint">{text.header(formatBytes(headerBytes))}</p>}
    </>
  );
}
