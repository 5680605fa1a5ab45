/** Chats to a file and back. */
import { toast } from 'sonner';
import { host } from '../../app/connection/session.ts';
import { pickFiles, saveText, uploadFile } from '../../app/files.ts';
import { chatStore } from './store.ts';
import { chatStrings } from './strings.ts';

/** `conversationIds` null: all of them. */
export async function exportChats(conversationIds: string[] | null, format: 'json' | 'markdown'): Promise<void> {
  const { fileName, text } = await host.call('conversations.export', { conversationIds, format });
  saveText(fileName, text, format === 'json' ? 'application/json' : 'text/markdown');
}

export async function importChats(): Promise<void> {
  const [file] = await pickFiles('json');
  if (!file) return;
  const fileId = await uploadFile(file, () => undefined);
  const { conversationIds, missingDocuments } = await host.call('conversations.import', { fileId });
  const [first] = conversationIds;
  if (conversationIds.length === 1 && first !== undefined) chatStore.getState().open(first);
  toast(chatStrings.files.imported(conversationIds.length), missingDocuments.length > 0 ? { description: chatStrings.files.missing(missingDocuments.join(', ')) } : {});
}

