/**
 * `node scripts/runInDenyingNetwork.mjs COMMAND …`, in a new network namespace (`denyingNetwork.mjs`): makes 127.0.0.1
 * work in it, runs the command, and says how many packets had no way out.
 */
import { deniedPackets } from './denyingNetwork.mjs';
import { handOver, run } from './processes.mjs';
import { Explained, runMain, say } from './say.mjs';

// What `ip link set lo up` does, where there is no `ip`.
const loopbackUp = `
import fcntl, socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(s, 0x8914, struct.pack('16sh14x', b'lo', 0x1 | 0x40))`;

await runMain(async () => {
  const ways = [
    ['ip', 'link', 'set', 'lo', 'up'],
    ['python3', '-c', loopbackUp],
  ];
  for (const [program, ...args] of ways) {
    if ((await run(program, args)).status === 0) return runWithin(process.argv.slice(2));
  }
  throw new Explained('127.0.0.1 cannot be made to work in a network namespace: neither ip nor python3 does it.');
});

/** @param {string[]} command */
async function runWithin([program, ...args]) {
  const status = await handOver(program, args);
  const denied = deniedPackets();
  if (denied > 0) say(`${denied} packets were for beyond this machine; none left.`);
  return status;
}
