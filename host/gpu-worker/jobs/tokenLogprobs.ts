/** Log probabilities of an answer's tokens, told when the text of the tokens is. */
import { logprobsOf } from '../../../engine/sampling/logprobs.ts';
import type { ActiveModel } from '../activeModel.ts';
import type { AnsweredToken } from '../protocol.ts';

export class TokenLogprobs {
  readonly #model: ActiveModel;
  readonly #count: number;
  readonly #pending: { start: number; entry: AnsweredToken }[] = [];
  /** Of the text that tokens have made, and of what was shown of it. */
  #madeCharacters = 0;
  #shownCharacters = 0;

  /** `count`: of the likeliest tokens that are told beside each. */
  constructor(model: ActiveModel, count: number) {
    this.#model = model;
    this.#count = count;
  }

  /** To be called while the logits that `token` was drawn from are still there; `text`: what became complete with it. */
  async add(token: number, text: string): Promise<void> {
    const { readback, loaded } = this.#model;
    const logits = await readback.floats(loaded.runner.logits, 0, loaded.spec.vocabularySize);
    const { logprob, top } = logprobsOf(logits, token, this.#count);
    const entry = { ...this.#spell(token), logprob, top: top.map((likely) => ({ ...this.#spell(likely.token), logprob: likely.logprob })) };
    this.#pending.push({ start: this.#madeCharacters, entry });
    this.#madeCharacters += text.length;
  }

  /** The tokens that begin in what is shown now; those of a stop string never do. */
  take(text: string): AnsweredToken[] {
    this.#shownCharacters += text.length;
    const hidden = this.#pending.findIndex(({ start }) => start >= this.#shownCharacters);
    return this.#pending.splice(0, hidden < 0 ? this.#pending.length : hidden).map(({ entry }) => entry);
  }

  #spell(token: number): { text: string; bytes: number[] } {
    const bytes = this.#model.tokenizer.tokenBytes(token);
    return { text: new TextDecoder().decode(bytes), bytes: [...bytes] };
  }
}
