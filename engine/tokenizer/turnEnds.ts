/**
 * Control tokens known to end an answer, by their text. Files often fail to name all of them as
 * `eos`, `eot` or `eom`, and some mark them as ordinary tokens.
 */
export const turnEndTexts: readonly string[] = [
  '<|im_end|>',
  '<|eot_id|>',
  '<|eom_id|>',
  '<|end|>',
  '<|return|>',
  '<|call|>',
  '<|endoftext|>',
  '<|end_of_text|>',
  '<|end_of_turn|>',
  '<end_of_turn>',
  '<turn|>',
  '<eos>',
  '<EOT>',
  '_<EOT>',
  '[EOT]',
  '[EOS]',
  '<end_of_utterance>',
  '<｜end▁of▁sentence｜>',
];

/** Ends a turn in some models and is an HTML tag in others, such as Gemma; the file's kind decides. */
export const endOrTag = '</s>';

/**
 * In the Harmony format `<|end|>` ends one message of several; the answer goes on until `<|return|>`
 * or `<|call|>`.
 */
export const harmonyMessageEnd = '<|end|>';
export const harmonyAnswerEnds: readonly string[] = ['<|return|>', '<|call|>'];
