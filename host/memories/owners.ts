/** The names under which documents, chats and readings hold memories. */
export type OwnerKind = 'document' | 'conversation' | 'reading';

/** `reading` is a job's own hold while it goes on; its id is the document's. */
export function ownerName(kind: OwnerKind, id: string): string {
  return `${kind}:${id}`;
}

/** null for a name that this version does not know. */
export function parseOwner(name: string): { kind: OwnerKind; id: string } | null {
  const [kind, id] = [name.slice(0, name.indexOf(':')), name.slice(name.indexOf(':') + 1)];
  return kind === 'document' || kind === 'conversation' || kind === 'reading' ? { kind, id } : null;
}
