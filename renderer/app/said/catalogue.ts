/** Everything that the host and the engine say to people. A test compares it with their source, both ways. */
import { chats } from './chats.ts';
import { documents } from './documents.ts';
import { machine } from './machine.ts';
import { modelFiles } from './modelFiles.ts';
import { models } from './models.ts';
import type { Sentences } from './sentences.ts';
import { storage } from './storage.ts';

export const catalogue: Sentences = { ...chats, ...documents, ...models, ...storage, ...machine, ...modelFiles };
