/** A sentence or clause of the host with numbered gaps, and the same in the languages of the window. */
export type Sentences = Record<string, readonly [german: string, japanese: string]>;
