/** What to install on this machine for more speed, when a driver that computes on the processor was chosen. */
import { existsSync, readFileSync } from 'node:fs';

/**
 * A sentence for the person, or undefined when there is nothing to say.
 * @param {string} adapterName
 */
export function softwareAdvice(adapterName) {
  if (adapterName === 'gpu' || adapterName === 'preset') return undefined;
  if (process.platform !== 'linux') {
    return 'No GPU with a current driver was found, so the processor computes. If this machine has a GPU, update its driver.';
  }
  const gpu = 'If this machine has a GPU, install its Vulkan driver: that is many times faster.';
  if (adapterName === 'lavapipe') return `No GPU was found, so the processor computes, by Mesa’s lavapipe. ${gpu}`;
  const install = `Mesa’s lavapipe (version 24 or newer) is about twice as fast: ${lavapipeCommand(osRelease())}.`;
  if (adapterName === 'none') return `No WebGPU adapter was found at all. ${install} ${gpu}`;
  return `No GPU was found, so the processor computes, by SwiftShader. ${install} ${gpu}`;
}

/** @param {Record<string, string>} release the fields of /etc/os-release */
export function lavapipeCommand({ ID = '', ID_LIKE = '', VERSION_ID = '' }) {
  const family = `${ID} ${ID_LIKE}`;
  if (ID === 'debian' && VERSION_ID === '12') {
    return 'add bookworm-backports to the package sources, then apt install -t bookworm-backports mesa-vulkan-drivers';
  }
  if (/debian|ubuntu/.test(family)) return 'apt install mesa-vulkan-drivers libvulkan1';
  if (/fedora|rhel/.test(family)) return 'dnf install mesa-vulkan-drivers vulkan-loader';
  if (/arch/.test(family)) return 'pacman -S vulkan-swrast vulkan-icd-loader';
  if (/suse/.test(family)) return 'zypper install libvulkan_lvp libvulkan1';
  return 'install the package that holds it, and the Vulkan loader';
}

/** @returns {Record<string, string>} */
function osRelease() {
  if (!existsSync('/etc/os-release')) return {};
  const lines = readFileSync('/etc/os-release', 'utf8').split('\n');
  const fields = lines.map((line) => /^(\w+)="?([^"]*)"?$/.exec(line)).filter((match) => match !== null);
  return Object.fromEntries(fields.map(([, key, value]) => [key, value]));
}
