import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { SecretStore } from './secretStore.ts';
import { ShellVault } from './shellVault.ts';

/** Electron main with a key store that turns words around; without one it answers null. */
function vaultWith(hasKeyStore: boolean): ShellVault {
  const turned = (text: string) => [...text].reverse().join('');
  const vault: ShellVault = new ShellVault((reply) => {
    if (reply.kind === 'vault') queueMicrotask(() => vault.settle({ kind: 'vault', requestId: reply.requestId, text: hasKeyStore ? turned(reply.text) : null }));
  });
  return vault;
}

test('with a key store only what it sealed is written, and it is opened again after a restart', async () => {
  const path = join(temporaryFolder(), 'hub-token');
  const store = new SecretStore(path, vaultWith(true), {});
  expect(await store.set('hf_secret')).toEqual({ kept: 'system' });
  expect(readFileSync(path, 'utf8')).not.toContain('hf_secret');
  expect(await new SecretStore(path, vaultWith(true), {}).token()).toBe('hf_secret');
  // Without the key store that sealed it, it is as good as lost: no error, no token.
  expect(await new SecretStore(path, null, {}).token()).toBeNull();
  expect(await store.set(null)).toEqual({ kept: null });
  expect(await store.token()).toBeNull();
});

test.each([null, vaultWith(false)])('without one, a file for its owner only, and the status says so', async (vault) => {
  const path = join(temporaryFolder(), 'hub-token');
  const store = new SecretStore(path, vault, { HF_TOKEN: 'hf_environment' });
  expect([await store.status(), await store.token()]).toEqual([{ kept: 'environment' }, 'hf_environment']);
  expect(await store.set('hf_secret')).toEqual({ kept: 'file' });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await new SecretStore(path, null, {}).token()).toBe('hf_secret');
});
