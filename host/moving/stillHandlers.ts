/** The answers about moving the data folder of a host that stays where it is: a command's, a test's. */
import type { DataFolderMethod } from '../contract/dataFolder.ts';
import { HostError } from '../errors.ts';
import type { Handlers } from '../handlers.ts';
import type { Host } from '../host.ts';

export function stillHandlers({ folder }: Host): Pick<Handlers, DataFolderMethod> {
  const refuse = (): never => {
    throw new HostError('bad-request', 'This Longleaf cannot move its data folder while it runs.', 'Move it in the settings of the window.');
  };
  const status = () => ({ path: folder.root, takesPaths: false, move: null, last: null, unfinished: null });
  return { 'dataFolder.status': status, 'dataFolder.plan': refuse, 'dataFolder.move': refuse, 'dataFolder.cancel': () => ({}), 'dataFolder.discard': refuse };
}
