import { clsx } from 'clsx';
import { Check, ChevronRight, type LucideIcon } from 'lucide-react';
import { DropdownMenu as Primitive } from 'radix-ui';
import type { ReactNode } from 'react';
import { Shortcut } from './Shortcut.tsx';

interface MenuProps {
  trigger: ReactNode;
  children: ReactNode;
  align?: 'start' | 'center' | 'end';
  className?: string;
}

export function Menu({ trigger, children, align = 'end', className }: MenuProps) {
  return (
    // Not modal: the rest of the window stays known to screen readers, and a press elsewhere closes it.
    <Primitive.Root modal={false}>
      <Primitive.Trigger asChild>{trigger}</Primitive.Trigger>
      <Primitive.Portal>
        <Primitive.Content
          align={align}
          sideOffset={4}
          collisionPadding={8}
          className={clsx('floating appear z-50 max-h-(--radix-dropdown-menu-content-available-height) min-w-44 overflow-y-auto p-1', className)}
        >
          {children}
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

const rowStyle =
  'relative flex min-h-7 items-center gap-2 rounded-md px-2 py-1 outline-none data-disabled:opacity-50 data-highlighted:bg-pressed';

interface MenuItemProps {
  icon?: LucideIcon;
  shortcut?: string;
  danger?: boolean;
  disabled?: boolean;
  onSelect(): void;
  children: ReactNode;
}

export function MenuItem({ icon: Icon, shortcut, danger, disabled, onSelect, children }: MenuItemProps) {
  return (
    <Primitive.Item disabled={disabled} onSelect={onSelect} className={clsx(rowStyle, danger && 'text-danger-text')}>
      {Icon && <Icon size={15} strokeWidth={1.75} aria-hidden />}
      <span className="flex-1">{children}</span>
      {shortcut && <Shortcut keys={shortcut} />}
    </Primitive.Item>
  );
}

/** A part of a menu that opens beside it. */
export function Submenu({ icon: Icon, label, children }: { icon?: LucideIcon; label: string; children: ReactNode }) {
  return (
    <Primitive.Sub>
      <Primitive.SubTrigger className={clsx(rowStyle, 'data-[state=open]:bg-pressed')}>
        {Icon && <Icon size={15} strokeWidth={1.75} aria-hidden />}
        <span className="flex-1">{label}</span>
        <ChevronRight size={14} className="text-quiet" aria-hidden />
      </Primitive.SubTrigger>
      <Primitive.Portal>
        <Primitive.SubContent sideOffset={2} collisionPadding={8} className="floating appear z-50 max-h-(--radix-dropdown-menu-content-available-height) min-w-40 overflow-y-auto p-1">
          {children}
        </Primitive.SubContent>
      </Primitive.Portal>
    </Primitive.Sub>
  );
}

export function MenuChoice({ value, children }: { value: string; children: ReactNode }) {
  return (
    <Primitive.RadioItem value={value} className={clsx(rowStyle, 'pl-7')}>
      <Primitive.ItemIndicator className="absolute left-2">
        <Check size={14} strokeWidth={2} className="text-accent-text" aria-hidden />
      </Primitive.ItemIndicator>
      {children}
    </Primitive.RadioItem>
  );
}

export const MenuChoices = Primitive.RadioGroup;

export function MenuSeparator() {
  return <Primitive.Separator className="my-1 h-px bg-line" />;
}
