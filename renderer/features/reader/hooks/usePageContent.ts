import { useEffect, useState } from 'react';
import type { PageContent } from '../../../../host/contract/documents.ts';
import type { PageCache } from '../pageCache.ts';

/** A page's text and blocks; null until they are there. */
export function usePageContent(cache: PageCache, page: number): PageContent | null {
  const [content, setContent] = useState<PageContent | null>(null);
  useEffect(() => {
    let wanted = true;
    cache.load(page).then(
      (loaded) => wanted && setContent(loaded),
      // Its row stays empty; scrolling back asks again.
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, [cache, page]);
  return content;
}
