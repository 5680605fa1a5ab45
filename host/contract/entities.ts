/**
 * The things the host and the interface talk about, by idea. Every schema is validated on both sides; a field with a
 * unit carries it in its name.
 */
export * from './answers.ts';
export * from './context.ts';
export * from './conversation.ts';
export * from './machine.ts';
export * from './models.ts';
export { type Failure, failure, identifier } from './primitives.ts';
export * from './reading.ts';
export * from './sampling.ts';
export * from './settings.ts';
