/** The words about readings: documents that a model reads ahead, to keep what it has read. */
import { type Translated, localised } from '../../app/language.ts';
import { german } from './strings.de.ts';
import { japanese } from './strings.ja.ts';

const english = {
  readNow: 'Read now',
  readNowNamed: (name: string) => `Read ${name} now`,
  hint: 'Keeps what is read, so that chats about it answer without reading it again.',
  kept: (model: string, tokens: string) => `Read by ${model} and kept: ${tokens} tokens`,
  keptNamed: (name: string) => `${name} is read and kept`,
  pause: 'Pause',
  pauseNamed: (name: string) => `Pause reading ${name}`,
  resume: 'Resume',
  resumeNamed: (name: string) => `Resume reading ${name}`,
  cancel: 'Cancel',
  cancelNamed: (name: string) => `Cancel reading ${name}`,
  cancelTitle: (name: string) => `Cancel reading “${name}”?`,
  cancelText: (tokens: string) => `The ${tokens} tokens that have been read are forgotten. To keep them, pause instead.`,
  cancelConfirm: 'Cancel and forget',
  keepReading: 'Go on',
  dismissNamed: (name: string) => `Dismiss the reading of ${name}`,
  tryAgain: 'Try again',
  states: {
    queued: 'Waiting to be read',
    loading: 'Loading the model',
    reading: 'Reading',
    paused: 'Paused',
    done: 'Read and kept',
    failed: 'Could not be read',
  },
  queuedBehindAnswer: 'answers go first',
  tokens: (done: string, total: string) => `${done} of ${total} tokens`,
  rate: (rate: string) => `${rate} tokens/s`,
  left: (wait: string) => `about ${wait} left`,
  progressNamed: (name: string) => `Reading ${name}`,
  percent: (percent: number) => `${percent} %`,
  by: (model: string) => `by ${model}`,
  unknownDocument: 'a document',
  unknownModel: 'a model',
  soFar: {
    label: 'Answer from what is read so far',
    read: (name: string, done: string, total: string) => `${name}: the first ${done} of ${total} tokens`,
    waits: 'The rest is read before the answer.',
  },
  unfinished: 'Not read to the end',
  unfinishedHint: 'Reading is kept in parts of some hundred tokens; it goes on after the last one that is kept.',
  status: {
    reading: (name: string, percent: number) => `Reading ${name}, ${percent} %`,
    loading: (name: string) => `About to read ${name}`,
    queued: (name: string) => `${name} waits to be read`,
    paused: (name: string) => `Reading of ${name} paused`,
    failed: (name: string) => `${name} could not be read`,
    panel: 'Readings',
    more: (count: number) => `${count} more`,
  },
  announce: {
    queued: (name: string) => `${name} waits to be read.`,
    loading: (name: string) => `About to read ${name}.`,
    reading: (name: string) => `Reading ${name}.`,
    paused: (name: string) => `Reading of ${name} is paused.`,
    done: (name: string) => `${name} has been read and is kept.`,
    failed: (name: string) => `${name} could not be read.`,
  },
  actions: {
    start: 'Read the documents of this chat now',
    pause: 'Pause reading',
    resume: 'Resume reading',
  },
} as const;

export type ReadingsStrings = Translated<typeof english>;
export const readingsStrings: ReadingsStrings = localised(english, { de: german, ja: japanese });
