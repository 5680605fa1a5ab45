/** The chat that the guide takes its examples from: a piece of the sample text, and one question about it. */
import { readFileSync } from 'node:fs';
import type { Conversation, Message } from '../contract/entities.ts';
import type { Host } from '../host.ts';
import { sampleBookPath } from '../locations.ts';

const documentName = 'Alice in Wonderland, a page';
const title = 'Example of the guide';
const question = 'What did the label of the bottle say?';
/** What the question asks for, and how much of the text around it is enough to look for it in. */
const answerInText = 'DRINK ME';
const aroundCharacters = 900;

export type GuideParts = Pick<Host, 'documents' | 'conversations' | 'messages' | 'chat' | 'settings' | 'events'>;

/** The answer that is there already or being written; else it is asked for. Throws as `chat.send` does. */
export async function guideExample({ documents, conversations, messages, chat, settings, events }: GuideParts): Promise<Message> {
  const known = documents.list().find(({ name }) => name === documentName);
  const document = known ?? (await documents.addText(documentName, piece()));
  const before = conversations
    .withDocument(document.id)
    .map((id) => conversations.get(id))
    .find((one) => one.title === title && one.documentIds.length === 1);
  const answer = before && messages.path(messages.activeLeaf(before.id)).find(({ role }) => role === 'assistant');
  if (answer && answer.state !== 'failed') return answer;
  return chat.send((before ?? begin(document.id)).id, question).answer;

  function begin(documentId: string): Conversation {
    const { systemPrompt, sampling } = { systemPrompt: '', sampling: { ...settings.read().defaultSampling, temperature: 0, maxTokens: 48 } };
    const created = conversations.create({ title, documentIds: [documentId] }, { systemPrompt, sampling });
    events.emit('conversation.changed', created);
    return created;
  }
}

/** Whole paragraphs. */
function piece(): string {
  const text = readFileSync(sampleBookPath(), 'utf8').replaceAll('\r\n', '\n');
  const at = text.indexOf(answerInText);
  const start = text.lastIndexOf('\n\n', at - aroundCharacters) + 2;
  return text.slice(start, text.indexOf('\n\n', at + aroundCharacters));
}
