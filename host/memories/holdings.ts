/** Who holds which leaves, and so what is needed and what would be freed. */
import { References, type About, type Reference } from './references.ts';
import type { Segment, SegmentTree } from './segmentTree.ts';

/** Who holds a leaf: `name` such as `document:ID`; the rest is kept as it was when it is not given. */
export interface Owner extends Partial<About> {
  name: string;
}

export class Holdings {
  readonly #tree: SegmentTree;
  readonly #references: References;

  constructor(tree: SegmentTree, references: References) {
    this.#tree = tree;
    this.#references = references;
  }

  get references(): References {
    return this.#references;
  }

  /** Adds a leaf in the place of its ancestors: it holds them anyway. Durable when it resolves. */
  async hold(leaf: string, { name, title, modelName }: Owner): Promise<void> {
    const known = this.#references.of(name);
    const held = known?.leaves ?? [];
    const covered = held.some((other) => other === leaf || this.#tree.isAncestor(leaf, other));
    const leaves = covered ? held : [...held.filter((other) => !this.#tree.isAncestor(other, leaf)), leaf];
    const about = { title: title ?? known?.title ?? null, modelName: modelName ?? known?.modelName ?? null };
    if (covered && about.title === known?.title && about.modelName === known.modelName) return;
    await this.#references.set(name, leaves, about);
  }

  /** Without `leaf`, everything that the owner holds. */
  async release(owner: string, leaf?: string): Promise<void> {
    const known = this.#references.of(owner);
    const leaves = leaf === undefined ? [] : (known?.leaves ?? []).filter((other) => other !== leaf);
    const changed = leaf === undefined || (known !== undefined && leaves.length < known.leaves.length);
    if (changed) await this.#references.set(owner, leaves, known ?? { title: null, modelName: null });
  }

  async releaseLeaf(leaf: string): Promise<void> {
    for (const { owner } of this.holdersOf(leaf)) await this.release(owner, leaf);
  }

  holdersOf(leaf: string): Reference[] {
    return this.#references.all().filter(({ leaves }) => leaves.includes(leaf));
  }

  heldLeaves(): string[] {
    return [...new Set(this.#references.leaves())];
  }

  /**
   * What would not be needed any more if only the holds that `stays` says were left, with what follows it
   * and is held by nobody; leaves first.
   */
  freedBy(stays: (leaf: string, owner: string) => boolean): Segment[] {
    const all = this.#references.all();
    const before = this.#tree.needed(all.flatMap(({ leaves }) => leaves)).keys;
    const after = this.#tree.needed(all.flatMap(({ owner, leaves }) => leaves.filter((leaf) => stays(leaf, owner))));
    const freed = this.#tree.withDescendants([...before].filter((key) => !after.keys.has(key)));
    return this.#outside(after, (key) => freed.has(key));
  }

  /** What nobody needs; leaves first. */
  unneeded(): Segment[] {
    return this.#outside(this.#tree.needed(this.#references.leaves()), () => true);
  }

  /** Nothing while it is not certain what is needed. */
  #outside(needed: { keys: Set<string>; uncertain: boolean }, among: (key: string) => boolean): Segment[] {
    if (needed.uncertain || this.#references.damaged.length > 0) return [];
    const keys = [...this.#tree.all()].map(({ key }) => key).filter((key) => among(key) && !needed.keys.has(key));
    return this.#tree.leafFirst(keys).flatMap((key) => this.#tree.get(key) ?? []);
  }
}

export function bytesOf(segments: readonly Segment[]): number {
  return segments.reduce((total, { bytes }) => total + bytes, 0);
}
