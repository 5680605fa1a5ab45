/** The envelope on the wire, the same over a WebSocket and over a MessagePort. */
import * as z from 'zod';
import { failure } from './primitives.ts';

export const callEnvelope = z
  .object({ kind: z.literal('call'), id: z.number().int().nonnegative(), method: z.string().max(64), params: z.unknown() })
  .strict();
export type CallEnvelope = z.infer<typeof callEnvelope>;

export const replyEnvelope = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('result'), id: z.number().int(), value: z.unknown() }),
  z.object({ kind: z.literal('failure'), id: z.number().int(), failure }),
  z.object({ kind: z.literal('event'), name: z.string(), payload: z.unknown() }),
]);
export type ReplyEnvelope = z.infer<typeof replyEnvelope>;

/** Both ends of a connection see this; the transport behind it is a WebSocket or a MessagePort. */
export interface Connection {
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  onClose(listener: () => void): void;
  close(): void;
}
