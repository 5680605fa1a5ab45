/** Small things of this window that outlive a reload. Everything that matters is kept by the host. */
const prefix = 'longleaf.';

export function remember(key: string, value: string | null): void {
  if (typeof window === 'undefined') return;
  try {
    if (value === null) localStorage.removeItem(prefix + key);
    else localStorage.setItem(prefix + key, value);
  } catch {
    // Storage may be switched off; nothing depends on it.
  }
}

export function remembered(key: string): string | null {
  if (typeof window === 'undefined') return null;
  try {
    return localStorage.getItem(prefix + key);
  } catch {
    return null;
  }
}
