export interface PromptDocument {
  readonly id: string;
  readonly name: string;
  readonly text: string;
}

export interface HistoryMessage {
  readonly role: 'user' | 'assistant';
  /** An answer is given without its reasoning: no template sees into it to take that out. */
  readonly text: string;
}

/** What a prompt is made of. Texts are trimmed at both ends; empty ones are left out. */
export interface PromptParts {
  readonly documents: readonly PromptDocument[];
  readonly system: string;
  readonly history: readonly HistoryMessage[];
  /** Without one, the prompt ends where the first word that depends on the question would start. */
  readonly question?: string;
}

export type PartKind = 'header' | 'document' | 'system' | 'history' | 'question';

/** A stretch of plain text in a message of a prompt, and the part it belongs to. */
export interface PromptPiece {
  readonly kind: PartKind;
  readonly text: string;
  /** The document, by its id, that the piece frames or is. */
  readonly documentId?: string;
  /** Whether the text is the document's own, whose tokens may be at hand already. */
  readonly isDocumentText?: boolean;
}

export interface PromptMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly pieces: readonly PromptPiece[];
}

/** Never changes, so that prompts about the same documents start with the same tokens. */
const header =
  'You are a careful reader. When documents are given, answer from them, quote their words exactly, ' +
  'and say so when they do not hold the answer.';

/**
 * The text in front of all turns. Its order makes prompts share tokens: the header never changes, the
 * documents rarely do, and the system text comes after them.
 */
export function openingPieces(parts: PromptParts): PromptPiece[] {
  const system = parts.system.trim();
  return [
    { kind: 'header', text: header },
    ...parts.documents.flatMap(documentPieces),
    ...(system === '' ? [] : [{ kind: 'system', text: `\n\n${system}` } as const]),
  ];
}

function documentPieces({ id, name, text }: PromptDocument): PromptPiece[] {
  const title = JSON.stringify(name.replace(/\s+/gu, ' ').trim());
  const part = { kind: 'document', documentId: id } as const;
  return [
    { ...part, text: `\n\nDocument ${title}:\n` },
    { ...part, text: text.trim(), isDocumentText: true },
    { ...part, text: `\nEnd of document ${title}.` },
  ];
}

/**
 * The messages of a chat. The question's text is empty when there is none. Messages of one role in a
 * row, which an answer that was stopped leaves behind, become one: many templates refuse them.
 */
export function chatMessages(parts: PromptParts): PromptMessage[] {
  const messages: { role: PromptMessage['role']; pieces: PromptPiece[] }[] = [
    { role: 'system', pieces: openingPieces(parts) },
  ];
  const add = (role: PromptMessage['role'], piece: PromptPiece): void => {
    const last = messages[messages.length - 1];
    if (last.role === role) last.pieces.push({ ...piece, text: `\n\n${piece.text}` });
    else messages.push({ role, pieces: [piece] });
  };
  for (const message of parts.history) {
    const text = message.text.trim();
    if (text !== '') add(message.role, { kind: 'history', text });
  }
  add('user', { kind: 'question', text: (parts.question ?? '').trim() });
  return messages;
}

/** The same messages for a template without a system role: its text opens the first turn. */
export function withoutSystemRole([system, first, ...rest]: readonly PromptMessage[]): PromptMessage[] {
  if (first.role !== 'user') return [{ role: 'user', pieces: system.pieces }, first, ...rest];
  const [opening, ...others] = first.pieces;
  return [
    { role: 'user', pieces: [...system.pieces, { ...opening, text: `\n\n${opening.text}` }, ...others] },
    ...rest,
  ];
}

/** A prompt for a model that only goes on with a text. */
export function completionPieces(parts: PromptParts): PromptPiece[] {
  const history = parts.history
    .map(({ role, text }) => ({ role, text: text.trim() }))
    .filter(({ text }) => text !== '')
    .map(({ role, text }): PromptPiece => ({
      kind: 'history',
      text: role === 'user' ? `\n\nQuestion: ${text}` : `\nAnswer: ${text}`,
    }));
  const question = parts.question?.trim();
  return [
    ...openingPieces(parts),
    ...history,
    ...(question === undefined ? [] : [{ kind: 'question', text: `\n\nQuestion: ${question}\nAnswer:` } as const]),
  ];
}
