/**
 * Reasoning that a model writes before its answer, between tags in the text itself. It is kept and shown folded, but
 * left out of the prompts of later turns, as the templates of these models do.
 */

export interface ReasonedText {
  /** Null: the model did not reason. */
  reasoning: string | null;
  answer: string;
  /** The closing tag has not come yet. */
  open: boolean;
}

/** DeepSeek R1 and Qwen 3 write `think`, others `thinking` or `reasoning`. */
const opening = /^\s*<(think|thinking|reasoning)>/;
/** Some templates open the tag in the prompt: then the text begins inside it. */
const orphanClosing = /<\/(?:think|thinking|reasoning)>/;

export function splitReasoning(text: string): ReasonedText {
  const opened = opening.exec(text);
  const start = opened ? opened[0].length : 0;
  const closing = (opened ? new RegExp(`</${opened[1]}>`) : orphanClosing).exec(text.slice(start));
  if (!closing) return opened ? { reasoning: text.slice(start).trim(), answer: '', open: true } : { reasoning: null, answer: text, open: false };
  const reasoning = text.slice(start, start + closing.index).trim();
  const answer = text.slice(start + closing.index + closing[0].length).trimStart();
  // Models that were told not to think still write the empty tags.
  return { reasoning: reasoning === '' ? null : reasoning, answer, open: false };
}
