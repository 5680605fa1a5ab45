import { strings } from './strings.ts';

/** The leaf and the name. */
export function Wordmark({ large = false }: { large?: boolean }) {
  return (
    <span className={large ? 'flex items-center gap-2.5 text-heading font-semibold tracking-tight' : 'flex items-center gap-1.5 text-body font-semibold tracking-tight'}>
      <Leaf size={large ? 30 : 18} />
      {strings.appName}
    </span>
  );
}

function Leaf({ size }: { size: number }) {
  return (
    <svg viewBox="96 96 320 320" width={size} height={size} aria-hidden className="text-accent">
      <path d="M138 384C118 258 196 132 388 118c16 176-78 284-250 266z" fill="currentColor" />
      <path d="M146 360C186 296 244 240 318 192" fill="none" stroke="var(--canvas)" strokeWidth="20" strokeLinecap="round" />
      <path d="M112 412l38-58" fill="none" stroke="currentColor" strokeWidth="22" strokeLinecap="round" />
    </svg>
  );
}
