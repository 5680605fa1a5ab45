import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { strings } from '../app/strings.ts';
import { IconButton } from './IconButton.tsx';

interface CopyButtonProps {
  text: () => string;
  label?: string;
  className?: string;
}

export function CopyButton({ text, label = strings.common.copy, className }: CopyButtonProps) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <IconButton
      icon={copied ? Check : Copy}
      label={copied ? strings.common.copied : label}
      iconSize={14}
      size="small"
      className={className}
      onClick={() => void navigator.clipboard.writeText(text()).then(() => setCopied(true))}
    />
  );
}
