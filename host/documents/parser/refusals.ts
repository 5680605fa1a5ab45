/** What parsers refuse, in one wording each. */
import { HostError } from '../../errors.ts';
import { quoted } from '../../wording.ts';

/** @param why a clause: “it has no part …” */
export function damaged(name: string, why: string): HostError {
  return new HostError('document-damaged', `${quoted(name)} cannot be read: ${why.replace(/\.$/, '')}.`, 'Open it in its own program to see whether it is whole; saving it again there may mend it.');
}

/** Something that no honest document does. */
export function hostile(name: string, why: string): HostError {
  return new HostError('document-hostile', `${quoted(name)} was refused: ${why}.`, 'Add it only if you trust where it comes from, exported as plain text.');
}

export function empty(name: string): HostError {
  return new HostError('document-empty', `${quoted(name)} is empty: there is nothing to read in it.`, 'Choose a file that has text in it.');
}

export function plural(count: number, one: string, many: string): string {
  return count === 1 ? `1 ${one}` : `${count.toLocaleString('en-US')} ${many}`;
}
