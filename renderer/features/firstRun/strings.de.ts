/** Die Wörter des ersten Starts auf Deutsch. */
import type { FirstRunStrings } from './strings.ts';

export const german: FirstRunStrings = {
  title: 'Ganze Bücher lesen und fragen.',
  lead: 'Longleaf liest Dokumente mit einem Sprachmodell auf diesem Rechner. Nichts, was du liest oder fragst, verlässt ihn.',
  machine: {
    title: 'Was dieser Rechner kann',
    checking: 'Sucht einen Grafikadapter …',
    gpu: (name) => `Antworten rechnet der Grafikprozessor ${name}.`,
    software: () => 'Es wurde kein brauchbarer Grafikprozessor gefunden, darum rechnet der Prozessor mit einem Software-Adapter. Das geht, nur langsamer.',
    failed: 'Kein Adapter konnte gestartet werden.',
    adapter: 'Adapter',
    processor: 'Prozessor',
    memory: 'Arbeitsspeicher',
    memoryValue: (total, free) => `${total}, davon ${free} frei`,
    disk: 'Platte',
    diskValue: (free) => `${free} frei`,
  },
  model: {
    title: 'Ein Modell für den Anfang',
    text: 'Ein Sprachmodell ist eine Datei. Sie wird einmal heruntergeladen, geprüft und auf diesem Rechner aufbewahrt.',
    byHand: 'Hast du schon eine GGUF-Datei?',
    notEnoughDisk: (need, free) => `Die Datei braucht ${need}, auf der Platte sind ${free} frei.`,
  },
  ready: (name) => `${name} ist bereit.`,
  start: 'Lesen beginnen',
  skip: 'Ohne Modell weiter',
};
