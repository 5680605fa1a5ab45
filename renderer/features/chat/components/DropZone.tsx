/** Files may be dropped anywhere on the window. */
import { FileDown } from 'lucide-react';
import { useEffect, useState } from 'react';
import { attempt } from '../../../app/failures.ts';
import { strings } from '../../../app/strings.ts';
import { receiveFiles } from '../attach.ts';

function carriesFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') ?? false;
}

export function DropZone() {
  const [over, setOver] = useState(false);
  useEffect(() => {
    // Enter and leave come for every element on the way; only their balance says “inside”.
    let depth = 0;
    const handlers = {
      dragenter(event: DragEvent) {
        if (!carriesFiles(event)) return;
        depth += 1;
        setOver(true);
      },
      dragleave(event: DragEvent) {
        if (!carriesFiles(event)) return;
        depth = Math.max(0, depth - 1);
        if (depth === 0) setOver(false);
      },
      dragover(event: DragEvent) {
        event.preventDefault();
        if (event.dataTransfer) event.dataTransfer.dropEffect = carriesFiles(event) ? 'copy' : 'none';
      },
      drop(event: DragEvent) {
        // Never let the window go to the dropped file.
        event.preventDefault();
        depth = 0;
        setOver(false);
        if (event.dataTransfer && event.dataTransfer.files.length > 0) attempt(receiveFiles(event.dataTransfer));
      },
    };
    const names = Object.keys(handlers) as (keyof typeof handlers)[];
    for (const name of names) window.addEventListener(name, handlers[name]);
    return () => {
      for (const name of names) window.removeEventListener(name, handlers[name]);
    };
  }, []);
  if (!over) return null;
  return (
    <div data-testid="drop-zone" className="pointer-events-none absolute inset-2 z-30 flex flex-col items-center justify-center gap-1.5 rounded-lg border-2 border-dashed border-accent bg-surface">
      <FileDown size={26} strokeWidth={1.5} className="text-accent-text" aria-hidden />
      <p className="text-title font-semibold">{strings.drop.title}</p>
      <p className="text-quiet">{strings.drop.hint}</p>
    </div>
  );
}
