/** The words of the first run. */
import { type Translated, localised } from '../../app/language.ts';
import { german } from './strings.de.ts';
import { japanese } from './strings.ja.ts';

const english = {
  title: 'Read whole books, and ask.',
  lead: 'Longleaf reads documents with a language model on this machine. Nothing you read or ask leaves it.',
  machine: {
    title: 'What this machine can do',
    checking: 'Looking for a graphics adapter…',
    gpu: (name: string) => `Answers are computed on the graphics processor ${name}.`,
    software: () => 'No usable graphics processor was found, so answers are computed on the processor by a software adapter. That works, only slower.',
    failed: 'No adapter could be started.',
    adapter: 'Adapter',
    processor: 'Processor',
    memory: 'Memory',
    memoryValue: (total: string, free: string) => `${total}, ${free} free`,
    disk: 'Disk',
    diskValue: (free: string) => `${free} free`,
  },
  model: {
    title: 'A model to start with',
    text: 'A language model is one file. It is downloaded once, checked, and kept on this machine.',
    byHand: 'Do you have a GGUF file already?',
    notEnoughDisk: (need: string, free: string) => `The file needs ${need} and the disk has ${free} free.`,
  },
  ready: (name: string) => `${name} is ready.`,
  start: 'Start reading',
  skip: 'Continue without a model',
} as const;

export type FirstRunStrings = Translated<typeof english>;
export const firstRunStrings: FirstRunStrings = localised(english, { de: german, ja: japanese });
