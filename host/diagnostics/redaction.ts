/** Takes out of a text what tells of a person: names of documents and chats, where files lie, keys, what was looked for. */
import { homedir } from 'node:os';

/** Names this short occur in everything; taking them out would say nothing and tear words apart. */
const shortestName = 4;

export class Redaction {
  readonly #names: () => readonly string[];
  readonly #dataFolder: string;

  /** `names`: what documents, chats and folders are called now. */
  constructor(names: () => readonly string[], dataFolder: string) {
    this.#names = names;
    this.#dataFolder = dataFolder;
  }

  apply(text: string): string {
    return this.#without(this.#namesNow(), text);
  }

  /** Line by line, so that a quotation mark that is never closed takes no more than its line. */
  applyToLines(lines: readonly string[]): string[] {
    const names = this.#namesNow();
    return lines.map((line) => this.#without(names, line));
  }

  /** The longest first: one name may be part of another. */
  #namesNow(): string[] {
    const names = this.#names().filter((name) => name.length >= shortestName);
    return [...new Set(names)].sort((a, b) => b.length - a.length);
  }

  #without(names: readonly string[], text: string): string {
    let redacted = text.replaceAll(this.#dataFolder, '‹data folder›').replaceAll(homedir(), '‹home›');
    for (const name of names) redacted = redacted.replaceAll(name, '‹name›');
    return (
      redacted
        // What our own messages put between quotation marks are names.
        .replace(/“[^”]*”/g, '“‹name›”')
        .replace(/\b(ll|hf|sk)[-_][A-Za-z0-9_-]{8,}/g, '‹key›')
        .replace(/(https?:\/\/[^\s/?#]+)[^\s)]*/g, '$1/…')
        .replace(/‹home›\/[^\s:),"]+/g, '‹path›')
        .replace(/(?<![\w‹])(\/(home|Users|root|media|mnt|tmp|var)\/[^\s:),"]+)/g, '‹path›')
        .replace(/[A-Za-z]:\\[^\s:),"]+/g, '‹path›')
    );
  }
}
