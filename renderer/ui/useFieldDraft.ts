import { useState } from 'react';

/** What is being typed into a field whose value may also change elsewhere: the newest change wins. */
export function useFieldDraft(value: string): [string, (draft: string) => void] {
  const [draft, setDraft] = useState(value);
  const [known, setKnown] = useState(value);
  if (known !== value) {
    setKnown(value);
    setDraft(value);
  }
  return [draft, setDraft];
}
