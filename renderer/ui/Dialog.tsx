import { clsx } from 'clsx';
import { X } from 'lucide-react';
import { Dialog as Primitive } from 'radix-ui';
import type { ReactNode } from 'react';
import { strings } from '../app/strings.ts';
import { IconButton } from './IconButton.tsx';

interface DialogProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  title: string;
  description?: string;
  children: ReactNode;
  className?: string;
}

export function Dialog({ open, onOpenChange, title, description, children, className }: DialogProps) {
  return (
    <Primitive.Root open={open} onOpenChange={onOpenChange}>
      <Primitive.Portal>
        <Primitive.Overlay className="fixed inset-0 z-40 bg-overlay" />
        <Primitive.Content
          {...(description ? {} : { 'aria-describedby': undefined })}
          className={clsx(
            'floating appear fixed top-1/2 left-1/2 z-40 flex max-h-[min(88vh,44rem)] w-[min(92vw,30rem)] -translate-x-1/2 -translate-y-1/2 flex-col outline-none',
            className,
          )}
        >
          <header className="flex items-start gap-3 px-4 pt-3.5 pb-2">
            <div className="min-w-0 flex-1">
              <Primitive.Title className="text-title font-semibold">{title}</Primitive.Title>
              {description && <Primitive.Description className="mt-0.5 text-quiet">{description}</Primitive.Description>}
            </div>
            <Primitive.Close asChild>
              <IconButton icon={X} label={strings.common.close} />
            </Primitive.Close>
          </header>
          <div className="min-h-0 flex-1 overflow-y-auto px-4 pb-4">{children}</div>
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}
