import { ChevronRight } from 'lucide-react';
import { Spinner } from '../../../ui/Spinner.tsx';
import { chatStrings } from '../strings.ts';
import { Markdown } from './Markdown.tsx';

const text = chatStrings.reasoning;

/** What the model wrote to itself before its answer, folded. */
export function Reasoning({ source, open }: { source: string; open: boolean }) {
  return (
    <details data-testid="reasoning" className="group/reasoning mb-3 rounded-lg border border-line">
      <summary className="flex cursor-pointer list-none items-center gap-1.5 rounded-lg px-3 py-1.5 text-quiet hover:text-text">
        <ChevronRight size={14} className="transition-transform group-open/reasoning:rotate-90" aria-hidden />
        {open ? text.underWay : text.done}
        {open && <Spinner />}
      </summary>
      <div className="border-t border-line px-3 py-2 text-quiet">
        <Markdown source={source} small />
        <p className="mt-2 text-small text-faint">{text.hint}</p>
      </div>
    </details>
  );
}
