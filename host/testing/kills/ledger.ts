/** What Longleaf has said is kept or gone, and whether it still is so. */
import type { ContractClient } from '../../contract/client.ts';
import { eventually } from '../eventually.ts';

interface KeptDocument {
  name: string;
  text: string;
}

interface KeptConversation {
  title: string | null;
  /** Questions by their id. */
  questions: Map<string, string>;
}

export class Ledger {
  readonly documents = new Map<string, KeptDocument>();
  readonly conversations = new Map<string, KeptConversation>();
  /** Documents and conversations whose end was asked for: they may be there or not. */
  readonly leaving = new Set<string>();
  readonly gone = new Set<string>();
  /** What the download under way is to become; null: none was asked for. */
  downloadSha256: string | null = null;
  readonly counts = { questions: 0, documents: 0, removals: 0, downloads: 0 };

  keepDocument(id: string, document: KeptDocument): void {
    this.documents.set(id, document);
    this.counts.documents += 1;
  }

  keepConversation(id: string): void {
    this.conversations.set(id, { title: null, questions: new Map() });
  }

  keepQuestion(conversationId: string, id: string, text: string): void {
    this.conversations.get(conversationId)?.questions.set(id, text);
    this.counts.questions += 1;
  }

  keepTitle(conversationId: string, title: string): void {
    const conversation = this.conversations.get(conversationId);
    if (conversation) conversation.title = title;
  }

  noteGone(id: string): void {
    this.leaving.delete(id);
    this.documents.delete(id);
    this.conversations.delete(id);
    this.gone.add(id);
    this.counts.removals += 1;
  }

  /** To be asked after a start, before anything else is done: what is not as it was said to be, in words. */
  async check(client: ContractClient): Promise<string[]> {
    const problems: string[] = [];
    const listed = await client.call('documents.list', {});
    const names = new Map(listed.map(({ id, name }) => [id, name]));
    for (const [id, { name, text }] of this.documents) {
      if (!names.has(id) && this.leaving.has(id)) this.noteGone(id);
      else if (names.get(id) !== name) problems.push(`document ${name} is ${names.get(id) ?? 'lost'}`);
      else if ((await client.call('documents.text', { documentId: id, start: 0, end: text.length + 10 })).text !== text) problems.push(`document ${name} has another text`);
    }
    for (const id of this.gone) if (names.has(id)) problems.push(`document ${id} is there again`);
    for (const [id, conversation] of this.conversations) problems.push(...(await this.#checkConversation(client, id, conversation)));
    const sha256 = this.downloadSha256;
    if (sha256 !== null) {
      const isKnown = async () => [...(await client.call('downloads.list', {})), ...(await client.call('models.list', {}))].some((one) => one.sha256 === sha256);
      // What earlier lives left is looked for beside the first calls.
      await eventually(isKnown, 3000).catch(() => problems.push('a download is forgotten'));
    }
    // They are there, so they stay until they are asked to go again.
    this.leaving.clear();
    return problems;
  }

  async #checkConversation(client: ContractClient, id: string, { title, questions }: KeptConversation): Promise<string[]> {
    const found = await client.call('conversations.get', { conversationId: id }).catch(() => null);
    if (!found) {
      if (!this.leaving.has(id)) return [`conversation ${id} is lost`];
      this.noteGone(id);
      return [];
    }
    const messages = await client.call('conversations.messages', { conversationId: id });
    const lost = [...questions].filter(([question, text]) => !messages.some((message) => message.id === question && message.role === 'user' && message.text === text));
    const unended = messages.filter(({ state }) => state === 'streaming');
    return [
      ...(title !== null && found.title !== title ? [`conversation “${title}” is called “${found.title}”`] : []),
      ...lost.map(([, text]) => `question “${text}” is lost`),
      ...unended.map(() => `an answer in ${id} is said to be under way that nobody is writing any more`),
    ];
  }
}
