/**
 * Whether steps go together (one team a layer) or apart (one dispatch a kernel). Members that wait in a loop lose more than
 * they gain while other programs want the same cores, so now and then a step goes the other way, and the faster way is kept.
 */

/** Steps until one goes the other way: many as long as nothing changes, few after a change, which may not last. */
const trialEvery = { most: 32, least: 8 };
/** How much faster the other way has to be. */
const worthwhile = 0.85;
/** What the last step weighs among those before it. */
const newest = 0.25;

export class TeamPace {
  #prefersTeam = true;
  /** Milliseconds of a step, by whether it went together; as long as only one is known it is kept. */
  readonly #ms = new Map<boolean, number>();
  #trialEvery = trialEvery.most;
  #untilTrial = trialEvery.most;
  /** How the steps under way go, oldest first. */
  readonly #underWay: boolean[] = [];

  /** Whether the next step goes together; `took` must follow for each, in their order. */
  begin(): boolean {
    const isTrial = --this.#untilTrial === 0;
    if (isTrial) this.#untilTrial = this.#trialEvery = Math.min(trialEvery.most, 2 * this.#trialEvery);
    const together = this.#prefersTeam !== isTrial;
    this.#underWay.push(together);
    return together;
  }

  /** The oldest step under way is done; null when its time says nothing. */
  took(ms: number | null): void {
    const together = this.#underWay.shift();
    if (together === undefined || ms === null) return;
    const known = this.#ms.get(together);
    this.#ms.set(together, known === undefined || together !== this.#prefersTeam ? ms : known + newest * (ms - known));
    const other = this.#ms.get(!this.#prefersTeam);
    const own = this.#ms.get(this.#prefersTeam);
    if (own === undefined || other === undefined || other >= worthwhile * own) return;
    this.#prefersTeam = !this.#prefersTeam;
    this.#untilTrial = this.#trialEvery = trialEvery.least;
  }

  /** Steps under way are not waited for any more. */
  forget(): void {
    this.#underWay.length = 0;
  }
}
