import { useMemo } from 'react';
import type { StepTimeline } from '../../../../host/contract/machine.ts';
import { formatCount, formatMs, formatShare } from '../../../app/format.ts';
import { groupKernels, stepMs } from '../kernelGroups.ts';
import { settingsStrings } from '../strings.ts';

const text = settingsStrings.timeline;
/** Colours of the slowest kernels, tellable apart in light and dark; all others share the last. */
const colours = ['#4477aa', '#ee6677', '#228833', '#ccbb44', '#66ccee', '#aa3377'];
const othersColour = '#8a8a8a';

interface KernelStripProps {
  step: StepTimeline;
  /** Names of kernels, those that are to have a colour of their own first. */
  order: readonly string[];
}

/** One step from left to right, each kernel as wide as its time; below it what kernels of a name take together. */
export function KernelStrip({ step, order }: KernelStripProps) {
  const groups = useMemo(() => groupKernels(step.kernels), [step]);
  const colourOf = (name: string): string => colours[order.indexOf(name)] ?? othersColour;
  const total = stepMs(step.kernels);
  const phase = step.phase === 'reading' ? text.reading(formatCount(step.tokens)) : text.decoding;
  return (
    <div className="py-2.5" data-testid={`timeline-${step.phase}`}>
      <div className="flex items-baseline justify-between gap-4">
        <h3 className="font-medium">{phase}</h3>
        <span className="text-small text-quiet tabular-nums">{text.total(formatMs(total), formatCount(step.kernels.length))}</span>
      </div>
      <svg role="img" aria-label={text.strip(phase)} viewBox={`0 0 ${Math.max(total, 1e-6)} 1`} preserveAspectRatio="none" className="mt-1.5 h-7 w-full rounded-sm bg-sunken">
        {step.kernels.map(({ name, startMs, ms }) => (
          <rect key={`${startMs} ${name}`} x={startMs} y={0} width={ms} height={1} fill={colourOf(name)}>
            <title>{`${name}: ${formatMs(ms)} ms`}</title>
          </rect>
        ))}
      </svg>
      <table className="mt-2 w-full text-small tabular-nums">
        <thead className="text-quiet">
          <tr>
            <th scope="col" className="text-left font-normal">{text.kernel}</th>
            <th scope="col" className="w-20 text-right font-normal">{text.calls}</th>
            <th scope="col" className="w-24 text-right font-normal">{text.ms}</th>
            <th scope="col" className="w-20 text-right font-normal">{text.share}</th>
          </tr>
        </thead>
        <tbody>
          {groups.map(({ name, count, ms, share }) => (
            <tr key={name}>
              <th scope="row" className="text-left font-normal">
                <span aria-hidden className="mr-2 inline-block size-2.5 rounded-[2px]" style={{ background: colourOf(name) }} />
                {name}
              </th>
              <td className="text-right">{formatCount(count)}</td>
              <td className="text-right">{formatMs(ms)}</td>
              <td className="text-right">{formatShare(share)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
