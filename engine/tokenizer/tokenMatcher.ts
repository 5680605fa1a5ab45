interface TrieNode {
  readonly children: Map<number, TrieNode>;
  token: number | undefined;
}

export interface TokenMatch {
  readonly token: number;
  readonly start: number;
  readonly end: number;
}

/** Finds tokens that are matched as a whole in a text: the leftmost, and of these the longest. */
export class TokenMatcher {
  private readonly root: TrieNode = { children: new Map(), token: undefined };
  /** 1 for each UTF-16 unit that starts a token, so that ordinary text is passed quickly. */
  private readonly firstUnits = new Uint8Array(0x10000);

  constructor(tokens: Iterable<readonly [text: string, token: number]>) {
    for (const [text, token] of tokens) this.add(text, token);
  }

  /** The first match at or after `from`, in UTF-16 units. */
  next(text: string, from: number): TokenMatch | undefined {
    for (let start = from; start < text.length; start++) {
      if (this.firstUnits[text.charCodeAt(start)] === 0) continue;
      const match = this.longestAt(text, start);
      if (match !== undefined) return match;
    }
    return undefined;
  }

  private add(text: string, token: number): void {
    this.firstUnits[text.charCodeAt(0)] = 1;
    let node = this.root;
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      let child = node.children.get(unit);
      if (child === undefined) {
        child = { children: new Map(), token: undefined };
        node.children.set(unit, child);
      }
      node = child;
    }
    node.token = token;
  }

  private longestAt(text: string, start: number): TokenMatch | undefined {
    let match: TokenMatch | undefined;
    let node: TrieNode | undefined = this.root;
    for (let end = start; end < text.length; ) {
      node = node.children.get(text.charCodeAt(end++));
      if (node === undefined) break;
      if (node.token !== undefined) match = { token: node.token, start, end };
    }
    return match;
  }
}
