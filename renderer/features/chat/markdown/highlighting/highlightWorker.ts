/** The thread that highlights code, so that the window's own never waits for a grammar. */
import { type AnsweringPort, answerRequests } from './answerRequests.ts';

answerRequests(globalThis as unknown as AnsweringPort);
