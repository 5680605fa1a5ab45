/** What somebody means by pasting something into the question. */

/** Text this long is more likely a document than a question. */
const documentCharacters = 6000;

/**
 * `files`: documents that were copied as files. `document`: a text as long as one. `words`: part of the question.
 * Office programs put a picture of the text beside it, file managers the name of the file: neither is what is meant.
 */
export function pastedKind(fileTypes: readonly string[], text: string): 'files' | 'document' | 'words' {
  if (fileTypes.some((type) => !type.startsWith('image/')) || (fileTypes.length > 0 && text === '')) return 'files';
  return text.length < documentCharacters ? 'words' : 'document';
}
