/**
 * Downloads one model into a data folder, to be killed at any moment. Arguments: data folder, endpoint, target as JSON.
 * Writes the number of bytes it wrote to the part, of all its lives, into the file "written"; ends with a line of JSON:
 * the state of the download.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { downloadTarget } from '../../contract/entities.ts';
import { DownloadManager } from '../../downloads/downloadManager.ts';
import { OutboundClient } from '../../downloads/outboundClient.ts';
import { type OpenPart, openPartOnDisk } from '../../downloads/partHandle.ts';
import { HostEvents } from '../../events.ts';
import { HubClient, hubOptions } from '../../hub/hubClient.ts';
import { ModelStore } from '../../models/modelStore.ts';
import { Database } from '../../storage/database.ts';
import { openDataFolder } from '../../storage/dataFolder.ts';
import { OutboundLog } from '../../storage/outboundLog.ts';

const [root = '', endpoint = '', targetJson = ''] = process.argv.slice(2);
const target = downloadTarget.parse(JSON.parse(targetJson));

const folder = openDataFolder(root);
const database = Database.open(folder.database, folder.backups);
const counter = openSync(join(root, 'written'), 'a+');
closeSync(counter);
const writtenFile = openSync(join(root, 'written'), 'r+');
let written = Number(readFileSync(join(root, 'written'), 'utf8').trim() || 0);

const countingPart: OpenPart = async (path) => {
  const handle = await openPartOnDisk(path);
  return {
    read: (bytes, offset, length, position) => handle.read(bytes, offset, length, position),
    write: async (bytes, offset, length, position) => {
      const result = await handle.write(bytes, offset, length, position);
      written += result.bytesWritten;
      writeSync(writtenFile, String(written).padStart(16), 0);
      return result;
    },
    truncate: (length) => handle.truncate(length),
    sync: () => handle.sync(),
    close: () => handle.close(),
    stat: () => handle.stat(),
  };
};

const models = new ModelStore(database, folder.models, []);
const client = new OutboundClient({ log: new OutboundLog(database), isOffline: () => false });
const hub = new HubClient(client, { ...hubOptions({}), endpoint, firstByteTimeoutMs: 1500, stallTimeoutMs: 1000, firstRetryPauseMs: 10, retries: 5 });
const manager = new DownloadManager({ catalogue: [], models, client, hub, folder, events: new HostEvents(), openPart: countingPart });
await manager.restore(true);
const download = await manager.finished(manager.fetch(target).id);
await manager.close();
process.stdout.write(`${JSON.stringify({ download, models: models.list().map(({ id }) => models.path(id)) })}\n`);
await client.close();
database.close();
