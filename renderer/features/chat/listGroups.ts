/** The list of chats with headings by age, flat, as a virtual list wants it. */
import type { Conversation } from '../../../host/contract/entities.ts';
import { chatStrings } from './strings.ts';

export type ListRow = { kind: 'heading'; label: string } | { kind: 'conversation'; conversation: Conversation };

const dayMs = 86_400_000;

function groupOf(updatedAtMs: number, startOfToday: number): string {
  const { groups } = chatStrings.list;
  if (updatedAtMs >= startOfToday) return groups.today;
  if (updatedAtMs >= startOfToday - dayMs) return groups.yesterday;
  if (updatedAtMs >= startOfToday - 7 * dayMs) return groups.week;
  if (updatedAtMs >= startOfToday - 30 * dayMs) return groups.month;
  return groups.older;
}

/** Expects the newest first. */
export function listRows(conversations: readonly Conversation[], now: Date): ListRow[] {
  const startOfToday = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  const rows: ListRow[] = [];
  let group = '';
  for (const conversation of conversations) {
    const next = groupOf(conversation.updatedAtMs, startOfToday);
    if (next !== group) rows.push({ kind: 'heading', label: next });
    group = next;
    rows.push({ kind: 'conversation', conversation });
  }
  return rows;
}
