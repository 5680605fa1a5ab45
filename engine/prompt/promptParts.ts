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
const header = 'You are a helpful AI assistant.';
/** After the documents; small models find a sentence in them about twice as often with it. */
const documentsRequest = 'Use the text above to answer the question.';

/** What follows the documents, or the header when there are none. Not part of them: another document may still come. */
function systemPieces({ documents, system }: PromptParts): PromptPiece[] {
  const texts = [documents.length > 0 ? documentsRequest : '', system.trim()];
  return texts.filter((text) => text !== '').map((text) => ({ kind: 'system', text }));
}

/** Pieces one after another with an empty line between them; the pieces of a document have their own line ends. */
function separated(pieces: readonly PromptPiece[]): PromptPiece[] {
  return pieces.map((piece, index) => {
    const joined = index === 0 || pieces[index - 1].text === '' || piece.isDocumentText || piece.text.startsWith('\n');
    return joined ? piece : { ...piece, text: `\n\n${piece.text}` };
  });
}

function documentPieces({ id, name, text }: PromptDocument): PromptPiece[] {
  const title = JSON.stringify(name.replace(/\s+/gu, ' ').trim());
  const part = { kind: 'document', documentId: id } as const;
  return [
    { ...part, text: `Document ${title}:\n` },
    { ...part, text: text.trim(), isDocumentText: true },
    { ...part, text: `\nEnd of document ${title}.` },
  ];
}

/**
 * The messages of a chat: the header as system message; the documents and the system text open the
 * first turn, where small models read them better than in the system message (measured: `docs/`).
 * Without documents the system text is where people expect it. The question's text is empty when there
 * is none. Messages of one role in a row, which an answer that was stopped leaves behind, become one:
 * many templates refuse them.
 */
export function chatMessages(parts: PromptParts): PromptMessage[] {
  const documents = parts.documents.flatMap(documentPieces);
  const system: PromptPiece[] = [{ kind: 'header', text: header }, ...(documents.length === 0 ? systemPieces(parts) : [])];
  // The empty piece takes what the template writes between the header and the first document.
  const opening: PromptPiece[] = documents.length === 0 ? [] : [{ kind: 'header', text: '' }, ...documents, ...systemPieces(parts)];
  const messages: { role: PromptMessage['role']; pieces: PromptPiece[] }[] = [{ role: 'system', pieces: system }];
  if (opening.length > 0) messages.push({ role: 'user', pieces: opening });
  const add = (role: PromptMessage['role'], piece: PromptPiece): void => {
    const last = messages[messages.length - 1];
    if (last.role === role) last.pieces.push(piece);
    else messages.push({ role, pieces: [piece] });
  };
  const ask = (text: string): string => (opening.length > 0 && messages.length === 2 ? `Question: ${text}` : text);
  for (const { role, text } of parts.history) {
    const trimmed = text.trim();
    if (trimmed !== '') add(role, { kind: 'history', text: role === 'user' ? ask(trimmed) : trimmed });
  }
  add('user', { kind: 'question', text: ask((parts.question ?? '').trim()) });
  return messages.map(({ role, pieces }) => ({ role, pieces: separated(pieces) }));
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
  const opening = [{ kind: 'header', text: header } as const, ...parts.documents.flatMap(documentPieces), ...systemPieces(parts)];
  return [
    ...separated(opening),
    ...history,
    ...(question === undefined ? [] : [{ kind: 'question', text: `\n\nQuestion: ${question}\nAnswer:` } as const]),
  ];
}
