/** Moves a data folder, to be killed meanwhile: `node movingProcess.ts FROM TO`. Says how far it is, a line each time. */
import { openHost } from '../host.ts';
import { deleteOldFolder, moveDataFolder } from '../moving/moveDataFolder.ts';
import { planMove } from '../moving/moveTarget.ts';
import { openDataFolder } from '../storage/dataFolder.ts';

const [from = '', to = ''] = process.argv.slice(2);
const folder = openDataFolder(from);
const { path } = await planMove(folder.root, to);
await moveDataFolder(folder, path, { signal: new AbortController().signal, onProgress: (done, total) => console.log(done / total) });
console.log('switched');
const host = await openHost({ dataFolder: from });
await deleteOldFolder(host.folder);
await host.close();
console.log('done');
