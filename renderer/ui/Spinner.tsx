import { LoaderCircle } from 'lucide-react';

export function Spinner({ size = 14 }: { size?: number }) {
  return <LoaderCircle size={size} strokeWidth={2} className="turning text-faint" aria-hidden />;
}
