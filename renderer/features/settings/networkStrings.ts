/** The words about how downloads go out. */
import { type Translated, localised } from '../../app/language.ts';
import { german } from './networkStrings.de.ts';
import { japanese } from './networkStrings.ja.ts';

const english = {
  title: 'Network',
  hint: 'For searches at the hub and downloads of models: nothing else uses the network, but looking for updates when you ask.',
  limit: 'Download speed at most',
  limitHint: 'In megabytes a second, for all downloads together; empty for as fast as they come.',
  none: 'none',
  unit: 'MB/s',
  proxy: 'Proxy',
  proxyHint: 'Empty: what the system’s variables HTTPS_PROXY and HTTP_PROXY say.',
} as const;

export type NetworkStrings = Translated<typeof english>;
export const networkStrings: NetworkStrings = localised(english, { de: german, ja: japanese });
