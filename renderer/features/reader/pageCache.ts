/** Pages of the open document, each asked for once; the ones looked at longest ago go first. */
import type { PageContent } from '../../../host/contract/documents.ts';
import { host } from '../../app/connection/session.ts';

const mostPages = 60;

export class PageCache {
  readonly #documentId: string;
  readonly #pages = new Map<number, Promise<PageContent>>();

  constructor(documentId: string) {
    this.#documentId = documentId;
  }

  load(page: number): Promise<PageContent> {
    const known = this.#pages.get(page);
    this.#pages.delete(page);
    const content = known ?? host.call('documents.page', { documentId: this.#documentId, page });
    this.#pages.set(page, content);
    // What failed is asked for again the next time.
    content.catch(() => this.#pages.delete(page));
    for (const oldest of this.#pages.keys()) {
      if (this.#pages.size <= mostPages) break;
      this.#pages.delete(oldest);
    }
    return content;
  }
}
