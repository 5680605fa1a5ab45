import { AlertDialog as Primitive } from 'radix-ui';
import { strings } from '../app/strings.ts';
import { Button } from './Button.tsx';

interface ConfirmDialogProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  title: string;
  description: string;
  confirmLabel: string;
  /** Where “Cancel” itself would be ambiguous. */
  cancelLabel?: string;
  onConfirm(): void;
}

/** Asks before something that cannot be undone. */
export function ConfirmDialog({ open, onOpenChange, title, description, confirmLabel, cancelLabel = strings.common.cancel, onConfirm }: ConfirmDialogProps) {
  return (
    <Primitive.Root open={open} onOpenChange={onOpenChange}>
      <Primitive.Portal>
        <Primitive.Overlay className="fixed inset-0 z-40 bg-overlay" />
        <Primitive.Content className="floating appear fixed top-1/2 left-1/2 z-40 w-[min(92vw,26rem)] -translate-x-1/2 -translate-y-1/2 p-4 outline-none">
          <Primitive.Title className="text-title font-semibold">{title}</Primitive.Title>
          <Primitive.Description className="mt-1.5 text-quiet">{description}</Primitive.Description>
          <div className="mt-4 flex justify-end gap-2">
            <Primitive.Cancel asChild>
              <Button>{cancelLabel}</Button>
            </Primitive.Cancel>
            <Primitive.Action asChild>
              <Button variant="danger" onClick={onConfirm}>
                {confirmLabel}
              </Button>
            </Primitive.Action>
          </div>
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}
