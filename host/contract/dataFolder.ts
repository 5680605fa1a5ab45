/** The data folder's move to another place: what it would take, how far it is, how the last one ended. */
import * as z from 'zod';
import { count, failure, identifier } from './primitives.ts';

const nothing = z.object({}).strict();

/** A folder of the desktop's dialog; where there is none, a path that was typed; or where a move stopped half-way. */
export const moveTarget = z.union([z.object({ fileId: identifier }).strict(), z.object({ path: z.string().min(1).max(4096) }).strict(), z.literal('unfinished')]);
export type MoveTarget = z.infer<typeof moveTarget>;

export const movePlan = z.object({
  /** What the data folder would be called. */
  path: z.string(),
  bytes: count,
  freeBytes: count,
  /** Nothing has to be copied: the files are only linked there. */
  sameDrive: z.boolean(),
  /** What is under way, and would be stopped until the folder has moved. */
  jobs: count,
});
export type MovePlan = z.infer<typeof movePlan>;

export const moveProgress = z.object({
  path: z.string(),
  phase: z.enum(['stopping', 'copying', 'opening']),
  /** Of the bytes that are copied and then read again. */
  doneBytes: count,
  totalBytes: count,
});
export type MoveProgress = z.infer<typeof moveProgress>;

export const dataFolderStatus = z.object({
  /** null: this Longleaf cannot move its folder while it runs. */
  path: z.string().nullable(),
  /** Paths may be typed, because no desktop's dialog is at hand. */
  takesPaths: z.boolean(),
  move: moveProgress.nullable(),
  /** Of this session; with a failure everything is where it was. */
  last: z.object({ path: z.string(), failure: failure.nullable() }).nullable(),
  /** Where an earlier session began to copy to, and did not come to the end. */
  unfinished: z.string().nullable(),
});
export type DataFolderStatus = z.infer<typeof dataFolderStatus>;

export const dataFolderMethods = {
  'dataFolder.status': { params: nothing, result: dataFolderStatus },
  'dataFolder.plan': { params: z.object({ to: moveTarget }).strict(), result: movePlan },
  /** Begins; until it has ended all other calls are refused. `stopJobs`: what is under way goes on afterwards. */
  'dataFolder.move': { params: z.object({ to: moveTarget, stopJobs: z.boolean() }).strict(), result: dataFolderStatus },
  /** Stops the move: everything stays where it was. */
  'dataFolder.cancel': { params: nothing, result: nothing },
  /** Deletes what an unfinished move has copied. */
  'dataFolder.discard': { params: nothing, result: dataFolderStatus },
} as const;
export type DataFolderMethod = keyof typeof dataFolderMethods;

export const dataFolderEvents = { 'dataFolder.changed': dataFolderStatus } as const;
