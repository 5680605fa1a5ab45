/** Seals secrets with the operating system's key store for the host, which keeps what comes of it. */
import { safeStorage } from 'electron';
import type { ShellReply, ShellRequest } from '../host/contract/shell.ts';

/** `text` null: there is no key store, or it does not open this. Then nothing is hidden, and the host says so. */
export function answerVault({ requestId, task, text }: Extract<ShellReply, { kind: 'vault' }>): ShellRequest {
  try {
    if (!hasKeyStore()) return { kind: 'vault', requestId, text: null };
    const answer = task === 'seal' ? safeStorage.encryptString(text).toString('base64') : safeStorage.decryptString(Buffer.from(text, 'base64'));
    return { kind: 'vault', requestId, text: answer };
  } catch {
    return { kind: 'vault', requestId, text: null };
  }
}

/** On Linux without a keyring Electron would use a key that is the same everywhere. */
function hasKeyStore(): boolean {
  if (!safeStorage.isEncryptionAvailable()) return false;
  return process.platform !== 'linux' || !['basic_text', 'unknown'].includes(safeStorage.getSelectedStorageBackend());
}
