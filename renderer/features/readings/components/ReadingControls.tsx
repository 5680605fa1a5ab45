/** Pause, resume and cancel, as far as they make sense now. */
import { Pause, Play, X } from 'lucide-react';
import { useState } from 'react';
import type { Reading } from '../../../../host/contract/entities.ts';
import { attempt } from '../../../app/failures.ts';
import { formatCount } from '../../../app/format.ts';
import { Button } from '../../../ui/Button.tsx';
import { ConfirmDialog } from '../../../ui/ConfirmDialog.tsx';
import { IconButton } from '../../../ui/IconButton.tsx';
import { isUnderWay, readingsStore } from '../store.ts';
import { readingsStrings as text } from '../strings.ts';

export function ReadingControls({ reading, name }: { reading: Reading; name: string }) {
  // Pausing waits for the chunk under way.
  const [waiting, setWaiting] = useState(false);
  const perform = (task: Promise<unknown>) => {
    setWaiting(true);
    attempt(task.finally(() => setWaiting(false)));
  };
  const underWay = isUnderWay(reading);
  const { start, pause } = readingsStore.getState();
  return (
    <span className="flex shrink-0 items-center gap-1.5">
      {underWay ? (
        <Button aria-label={text.pauseNamed(name)} disabled={waiting} onClick={() => perform(pause(reading.id))}>
          <Pause size={13} aria-hidden />
          {text.pause}
        </Button>
      ) : (
        <Button aria-label={text.resumeNamed(name)} disabled={waiting} onClick={() => perform(start(reading.documentId, reading.modelId))}>
          <Play size={13} aria-hidden />
          {reading.state === 'failed' ? text.tryAgain : text.resume}
        </Button>
      )}
      <CancelButton reading={reading} name={name} />
    </span>
  );
}

/** Asks first where something that was read would be forgotten. */
function CancelButton({ reading, name }: { reading: Reading; name: string }) {
  const [asking, setAsking] = useState(false);
  const cancel = () => attempt(readingsStore.getState().cancel(reading.id));
  return (
    <>
      <IconButton icon={X} label={text.cancelNamed(name)} onClick={() => (reading.doneTokens > 0 ? setAsking(true) : cancel())} />
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={text.cancelTitle(name)}
        description={text.cancelText(formatCount(reading.doneTokens))}
        cancelLabel={text.keepReading}
        confirmLabel={text.cancelConfirm}
        onConfirm={cancel}
      />
    </>
  );
}
