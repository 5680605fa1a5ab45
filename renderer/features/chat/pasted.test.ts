import { expect, test } from 'vitest';
import { pastedKind } from './pasted.ts';

const page = 'x'.repeat(6000);

test.each([
  ['words are part of the question', [], 'Who is Dorothea?', 'words'],
  ['a text as long as a document is offered as one', [], page, 'document'],
  ['a text that is a little shorter is not', [], page.slice(1), 'words'],
  ['a file is a file', ['application/pdf'], '', 'files'],
  ['a file whose type is not known is one', [''], '', 'files'],
  ['the name that a file manager puts beside a file is not meant', ['application/pdf'], 'report.pdf', 'files'],
  ['the picture that an office program puts beside its text is not meant', ['image/png'], 'Teapots\t12', 'words'],
  ['nor beside a long text', ['image/png'], page, 'document'],
  ['a picture alone is a file, which is refused in words', ['image/png'], '', 'files'],
] as const)('%s', (_name, fileTypes, text, kind) => expect(pastedKind(fileTypes, text)).toBe(kind));
