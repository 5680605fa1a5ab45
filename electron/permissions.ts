/** What pages may ask of Electron: to write to the clipboard, to save a file that they made, and nothing from the network. */
import type { Session } from 'electron';
import { bundleHost, bundleScheme } from './bundle.ts';

const grantedPermissions = new Set(['clipboard-sanitized-write']);
const ownSchemes = new Set([`${bundleScheme}:`, 'blob:', 'data:', 'devtools:']);

export function restrictSession(session: Session): void {
  // Electron grants everything that is not refused here.
  session.setPermissionRequestHandler((_contents, permission, decide) => decide(grantedPermissions.has(permission)));
  session.setPermissionCheckHandler((_contents, permission) => grantedPermissions.has(permission));
  session.setDevicePermissionHandler(() => false);
  session.webRequest.onBeforeRequest(({ url }, decide) => decide({ cancel: !ownSchemes.has(new URL(url).protocol) }));
  // What the interface made itself is saved where the person says; nothing else is.
  session.on('will-download', (event, item) => {
    if (!item.getURL().startsWith(`blob:${bundleScheme}://${bundleHost}/`)) event.preventDefault();
  });
}
