/**
 * The custom scheme the interface is loaded from. `protocol.handle` came with Electron 25; before it, and only there,
 * the scheme is served by `registerBufferProtocol`.
 */
import { protocol } from 'electron';
import { answerFromBundle, bundleScheme } from './bundle.ts';

/** Has to be called before the app is ready. */
export function declareBundleScheme(): void {
  const privileges = { standard: true, secure: true, supportFetchAPI: true, corsEnabled: false, codeCache: true };
  protocol.registerSchemesAsPrivileged([{ scheme: bundleScheme, privileges }]);
}

/** Has to be called once the app is ready. */
export function serveBundle(folder: string): void {
  if (typeof protocol.handle === 'function') {
    protocol.handle(bundleScheme, async ({ url }) => {
      const { status, headers, body } = await answerFromBundle(folder, url);
      return new Response(new Uint8Array(body), { status, headers });
    });
    return;
  }
  protocol.registerBufferProtocol(bundleScheme, ({ url }, respond) => {
    void answerFromBundle(folder, url).then(({ status, headers, body }) =>
      respond({ statusCode: status, headers, mimeType: headers['Content-Type'], data: body }),
    );
  });
}
