import { Switch as Primitive } from 'radix-ui';

interface SwitchProps {
  checked: boolean;
  onCheckedChange(checked: boolean): void;
  label: string;
  describedBy?: string;
}

export function Switch({ checked, onCheckedChange, label, describedBy }: SwitchProps) {
  return (
    <Primitive.Root
      checked={checked}
      onCheckedChange={onCheckedChange}
      aria-label={label}
      aria-describedby={describedBy}
      className="h-[18px] w-8 shrink-0 rounded-full bg-line-strong p-[2px] transition-colors data-[state=checked]:bg-accent"
    >
      <Primitive.Thumb className="block size-[14px] rounded-full bg-surface transition-transform data-[state=checked]:translate-x-[14px]" />
    </Primitive.Root>
  );
}
