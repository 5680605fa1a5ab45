/**
 * Every call the interface can make and every event the host can send, with the schemas both sides
 * validate. This table is the only way between `renderer`/`electron` and `host`.
 */
import * as z from 'zod';
import { maximumPasteCharacters, maximumQuestionCharacters } from './primitives.ts';
import { documentMethods } from './documents.ts';
import { chatEvents, chatMethods } from './chatMethods.ts';
import { updateMethods } from './updates.ts';
import { dataFolderEvents, dataFolderMethods } from './dataFolder.ts';
import { modelEvents, modelMethods } from './modelMethods.ts';
import {
  answerProgress,
  apiStatus,
  contextMeter,
  documentRecord,
  identifier,
  machineReport,
  memoryRecord,
  memoryUsage,
  message,
  reading,
  settings,
  workerStatus,
} from './entities.ts';
import { ablation, evidenceState, profile, profileRequest, retrieval, tile, tileRequest, triangleRequest } from './inspection.ts';
import { liveAttention, liveRows, liveView } from './liveAttention.ts';
import { sweep } from './sweep.ts';

const offset = z.number().int().nonnegative();
const nothing = z.object({}).strict();
/** A file the host already knows: picked in a native dialog, dropped, or uploaded. Never a path. */
const fileId = identifier;
const questionText = z.string().min(1).max(maximumQuestionCharacters);

export const methods = {
  'app.status': {
    params: nothing,
    result: z.object({ version: z.string(), worker: workerStatus, settings, firstRun: z.boolean() }),
  },
  'app.machine': { params: nothing, result: machineReport },
  /** What left this machine, newest first. */
  'app.outbound': {
    params: nothing,
    result: z.array(
      z.object({ atMs: z.number().int(), purpose: z.string(), address: z.string(), outcome: z.string().nullable() }),
    ),
  },
  /** The end of the log, oldest line first. */
  'app.log': { params: nothing, result: z.array(z.string()) },
  /** What may be handed to somebody who looks for a fault: without names, texts and paths. */
  'app.diagnostics': { params: nothing, result: z.object({ text: z.string() }) },
  /** Of everything that is shipped. */
  'app.licences': {
    params: nothing,
    result: z.array(z.object({ name: z.string(), version: z.string(), licence: z.string(), text: z.string(), homepage: z.string().nullable() })),
  },
  'worker.restart': { params: nothing, result: nothing },
  'settings.update': { params: settings.partial().strict(), result: settings },

  ...updateMethods,

  'api.status': { params: nothing, result: apiStatus },
  /** The old key is refused from then on. */
  'api.regenerateKey': { params: nothing, result: apiStatus },

  ...dataFolderMethods,

  ...modelMethods,

  'documents.list': { params: nothing, result: z.array(documentRecord) },
  'documents.add': { params: z.object({ fileId }).strict(), result: documentRecord },
  'documents.addText': {
    params: z.object({ name: z.string().min(1).max(255), text: z.string().max(maximumPasteCharacters) }).strict(),
    result: documentRecord,
  },
  ...documentMethods,
  /** A range of the extracted text, in UTF-16 units. */
  'documents.text': {
    params: z
      .object({ documentId: identifier, start: z.number().int().nonnegative(), end: z.number().int().nonnegative() })
      .strict(),
    result: z.object({ text: z.string(), characters: z.number().int() }),
  },
  'documents.countTokens': {
    params: z.object({ documentId: identifier, modelId: identifier }).strict(),
    result: z.object({ tokens: z.number().int() }),
  },
  'documents.remove': { params: z.object({ documentId: identifier }).strict(), result: nothing },

  /** What was read and kept, the most recently used first. */
  'memories.list': { params: nothing, result: z.array(memoryRecord) },
  'memories.remove': {
    params: z.object({ memoryId: identifier }).strict(),
    result: z.object({ freedBytes: z.number().int().nonnegative() }),
  },
  /** How much is kept; `quotaBytes` sets the limit (null: none). */
  'memories.quota': {
    params: z.object({ quotaBytes: z.number().int().nonnegative().nullable().optional() }).strict(),
    result: memoryUsage,
  },

  /** Documents that are being read, wait for it, or were not read to their end; and those read since the start. */
  'readings.list': { params: nothing, result: z.array(reading) },
  /** Reads a document into a memory, or goes on where it stopped. One that is kept already is `done` at once. */
  'readings.start': { params: z.object({ documentId: identifier, modelId: identifier }).strict(), result: reading },
  'readings.pause': { params: z.object({ readingId: identifier }).strict(), result: reading },
  /** Forgets the reading and what it has read so far. */
  'readings.cancel': { params: z.object({ readingId: identifier }).strict(), result: nothing },

  ...chatMethods,

  'chat.meter': {
    params: z.object({ conversationId: identifier, draft: z.string().max(20_000_000) }).strict(),
    result: contextMeter,
  },
  /** `onlyRead`: answers from what has been read of the documents so far, instead of reading them to their end first. */
  'chat.send': {
    params: z.object({ conversationId: identifier, text: questionText, onlyRead: z.boolean().optional() }).strict(),
    result: z.object({ question: message, answer: message }),
  },
  'chat.stop': { params: z.object({ conversationId: identifier }).strict(), result: nothing },
  /** A new answer beside the old one. Also "try again" after a failure. */
  'chat.regenerate': { params: z.object({ messageId: identifier }).strict(), result: message },
  /** A new question beside the old one, and its answer. */
  'chat.edit': {
    params: z.object({ messageId: identifier, text: questionText }).strict(),
    result: z.object({ question: message, answer: message }),
  },
  /** Questions that ask for all of something: jobs that go through a whole document. */
  'sweeps.list': { params: nothing, result: z.array(sweep) },
  'sweeps.start': {
    params: z.object({ documentId: identifier, modelId: identifier, conversationId: identifier.nullable(), question: questionText }).strict(),
    result: sweep,
  },
  'sweeps.pause': { params: z.object({ sweepId: identifier }).strict(), result: sweep },
  /** Also tries windows again that failed. */
  'sweeps.resume': { params: z.object({ sweepId: identifier }).strict(), result: sweep },
  'sweeps.remove': { params: z.object({ sweepId: identifier }).strict(), result: nothing },

  /** What was recorded while the answer was written, or so far; null where nothing was, or once evidence was computed. */
  'inspector.live': { params: z.object({ messageId: identifier }).strict(), result: liveAttention.nullable() },
  /** What an answer attended to and cites; looks into it first if that was not done. */
  'inspector.evidence': { params: z.object({ messageId: identifier }).strict(), result: evidenceState },
  /** A part of an answer's attention. `inspector.cancel` ends those that wait. */
  'inspector.tile': { params: tileRequest, result: tile },
  'inspector.profile': { params: profileRequest, result: profile },
  /** A part of the prompt's own attention; `inspection.progress` tells how far it is. */
  'inspector.triangle': { params: triangleRequest, result: tile },
  /** What the policy chose while the answer was decoded, what would have been best, and where the keys lie. */
  'inspector.retrieval': { params: z.object({ messageId: identifier }).strict(), result: retrieval },
  /** The answer that the guide shows its examples on; asks for it when it is not there. */
  'inspector.example': { params: nothing, result: message },
  'inspector.cancel': { params: z.object({ messageId: identifier }).strict(), result: nothing },
  /** The answer's probabilities without characters [start, end) of a document. */
  'inspector.ablate': { params: z.object({ messageId: identifier, documentId: identifier, start: offset, end: offset }).strict(), result: ablation },

  /** One message, on whichever branch it is. */
  'chat.message': { params: z.object({ messageId: identifier }).strict(), result: message },
  /** Makes this alternative, and the newest answers below it, the active ones. */
  'chat.select': { params: z.object({ messageId: identifier }).strict(), result: z.array(message) },
} as const;

export type Methods = typeof methods;
export type MethodName = keyof Methods;
export type MethodParams<M extends MethodName> = z.input<Methods[M]['params']>;
export type MethodResult<M extends MethodName> = z.output<Methods[M]['result']>;

export const events = {
  'worker.status': workerStatus,
  'settings.changed': settings,
  'api.changed': apiStatus,
  ...dataFolderEvents,
  ...modelEvents,
  /** Ask for the list again. */
  'memories.changed': nothing,
  'readings.changed': reading,
  /** Cancelled: it is in no list any more. */
  'readings.removed': z.object({ readingId: identifier }),
  ...chatEvents,
  /** A message was added or its state changed; carries the whole message. */
  'message.changed': message,
  'sweeps.changed': sweep,
  'sweeps.removed': z.object({ sweepId: identifier }),
  /** Ask for it again. */
  /** Rows of a triangle that are done. */
  'inspection.progress': z.object({ messageId: identifier, done: z.number(), total: z.number() }),
  'evidence.changed': z.object({ messageId: identifier }),
  'answer.progress': answerProgress,
  /** More of what the answer's tokens attended to; the view comes with the first. */
  'answer.attention': z.object({ messageId: identifier, view: liveView.nullable(), rows: liveRows }),
  /** Text appended to a streaming answer; `offset` is where it goes, so that a gap is noticed. */
  'answer.delta': z.object({
    conversationId: identifier,
    messageId: identifier,
    offset: z.number().int().nonnegative(),
    text: z.string(),
  }),
} as const;
export type Events = typeof events;
export type EventName = keyof Events;
export type EventPayload<E extends EventName> = z.output<Events[E]>;
