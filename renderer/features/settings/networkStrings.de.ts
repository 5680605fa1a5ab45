/** Die Wörter über das Netz auf Deutsch. */
import type { NetworkStrings } from './networkStrings.ts';

export const german: NetworkStrings = {
  title: 'Netz',
  hint: 'Für Suchen am Hub und Downloads von Modellen: Sonst nutzt nichts das Netz, außer Aktualisierungen, wenn du danach fragst.',
  limit: 'Höchstens so schnell herunterladen',
  limitHint: 'In Megabyte je Sekunde, für alle Downloads zusammen; leer: so schnell, wie sie kommen.',
  none: 'keine',
  unit: 'MB/s',
  proxy: 'Proxy',
  proxyHint: 'Leer: was die Variablen HTTPS_PROXY und HTTP_PROXY des Systems sagen.',
};
