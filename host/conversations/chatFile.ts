/** Chats as a file that holds all of them: every alternative, event, statistic. What is written reads back the same. */
import * as z from 'zod';
import { eventDetails } from '../contract/chatEntities.ts';
import { answerStatistics, conversation, failure, identifier, message } from '../contract/entities.ts';

export const chatFileFormat = 'longleaf-chats';

const fileMessage = message
  .omit({ conversationId: true, siblingIndex: true, siblingIds: true })
  .extend({ failure: failure.nullable(), statistics: answerStatistics.nullable(), state: z.enum(['complete', 'stopped', 'failed', 'interrupted']) });
export type FileMessage = z.infer<typeof fileMessage>;

const fileConversation = conversation.omit({ documentIds: true, folderId: true }).extend({
  titleIsAutomatic: z.boolean(),
  folder: z.string().max(100).nullable(),
  documents: z.array(z.object({ id: identifier, name: z.string(), sha256: z.string() })),
  activeLeafId: identifier.nullable(),
  /** Parents before children, siblings in their order. */
  messages: z.array(fileMessage),
  events: z.array(z.object({ id: identifier, afterMessageId: identifier.nullable(), createdAtMs: z.number().int().nonnegative(), details: eventDetails })),
});
export type FileConversation = z.infer<typeof fileConversation>;

export const chatFile = z.object({
  format: z.literal(chatFileFormat),
  version: z.literal(1),
  exportedAtMs: z.number().int().nonnegative(),
  conversations: z.array(fileConversation).max(1_000_000),
});
export type ChatFile = z.infer<typeof chatFile>;
