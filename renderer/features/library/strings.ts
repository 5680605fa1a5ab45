/** The words about documents. */
export const libraryStrings = {
  preview: {
    label: (name: string) => `Text of ${name}`,
    subtitle: 'The text as it was extracted, exactly what the model will read.',
    extracted: 'Extracted text',
    characters: 'Characters',
    tokens: 'Tokens',
    size: 'Size',
    counting: 'counting…',
    noModel: 'choose a model to count',
    close: 'Close the preview',
    failed: 'The text could not be loaded.',
    empty: 'This document holds no text.',
  },
} as const;
