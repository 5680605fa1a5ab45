/** Between the host and the process that parses one document (Node IPC). */
import * as z from 'zod';
import { failure } from '../../contract/entities.ts';
import { parsedDocument } from '../../contract/documentModel.ts';

export const parserRequest = z.object({ path: z.string(), name: z.string(), output: z.string(), pdfData: z.string() });
export type ParserRequest = z.infer<typeof parserRequest>;

export const parserReply = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('progress'), done: z.number(), total: z.number() }),
  z.object({ kind: z.literal('parsed'), document: parsedDocument }),
  z.object({ kind: z.literal('failed'), failure }),
]);
export type ParserReply = z.infer<typeof parserReply>;
