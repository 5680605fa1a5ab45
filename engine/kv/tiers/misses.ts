/**
 * What steps do about chosen tokens that are not on the GPU: which of them wait, whose turn it is to choose where layers take
 * turns, and what is chosen with a token because later steps will want it.
 */
import type { Step } from '../../layers/step.ts';
import type { Follow } from '../../retrieval/select.ts';
import { type Policy, usualTurnSteps } from './policy.ts';

/** Decoding steps behind what was read that wait, whatever the policy: what they want was mostly not wanted before. */
export const firstSteps = 8;
/** What a step asks for without waiting is there for the second one after it. */
const stepsUntilThere = 2;
/** Of a head's attention to what is far: what follows a token with more of it is chosen, too. */
const followedShare = 0.05;

export class Misses {
  readonly #now: () => { policy: Policy; farTokens: number };
  #stepsToWait = firstSteps;
  /** Tokens behind which the last step ended. */
  #reached = 0;
  /** The round of turns that slots have aged for; null when the lookups before were not in turns. */
  #agedRound: number | null = null;

  /** `now`: the policy, and how many tokens it can choose from. */
  constructor(now: () => { policy: Policy; farTokens: number }) {
    this.#now = now;
  }

  /** Whether chosen tokens that are not on the GPU are left to later steps. */
  get lag(): boolean {
    const { policy, farTokens } = this.#now();
    return (policy.misses === 'lagged' || policy.misses === 'rolling') && policy.name !== 'full' && policy.name !== 'window' && farTokens > 0 && this.#stepsToWait === 0;
  }

  /** Whether a step attends to everything in slots, and layers choose in turn. */
  get roll(): boolean {
    const { name, misses } = this.#now().policy;
    return misses === 'rolling' && name !== 'flat' && name !== 'graph' && this.lag;
  }

  /** Where steps do not wait, what follows a token that weighs much is chosen with it: later steps will read on from there. */
  get follow(): Follow | null {
    const { misses = 'strict' } = this.#now().policy;
    return misses === 'strict' ? null : { followers: (misses === 'rolling' ? this.#turnSteps : 1) + stepsUntilThere, share: followedShare };
  }

  /** While steps roll: whether it is the turn of the far layer at `index` to choose. */
  isTurnOf(index: number, { position }: Step): boolean {
    return (position + index) % this.#turnSteps === 0;
  }

  /** Whether slots have aged since the lookups of the step before: while steps roll, once a round. */
  agesSlots({ position }: Step): boolean {
    const round = this.roll ? Math.floor(position / this.#turnSteps) : null;
    const ages = round === null || round !== this.#agedRound;
    this.#agedRound = round;
    return ages;
  }

  /** Something was read: the next steps begin an answer. */
  noteReading(): void {
    this.#stepsToWait = firstSteps;
  }

  noteStep({ position, rows }: Step): void {
    this.#reached = position + rows;
  }

  noteStepEnd(): void {
    this.#stepsToWait = Math.max(0, this.#stepsToWait - 1);
  }

  /** The sequence was cut to `length` tokens: if that took any away, another answer begins. */
  noteCut(length: number): void {
    if (length < this.#reached) this.noteReading();
  }

  get #turnSteps(): number {
    return Math.max(1, this.#now().policy.turnSteps ?? usualTurnSteps);
  }
}
