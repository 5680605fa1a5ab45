/** Threads of the page. It runs trusted scripts only: those that are files of the interface itself. */

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

let policy: ReturnType<TrustedTypes['createPolicy']> | undefined;

/** `address`: as Vite gives it for a file of the bundle. */
export function startOwnWorker(address: string): Worker {
  const trusted = (window as { trustedTypes?: TrustedTypes }).trustedTypes;
  policy ??= trusted?.createPolicy('longleaf-worker', { createScriptURL: ownFile });
  const url = new URL(address, document.baseURI).href;
  return new Worker(policy ? policy.createScriptURL(url) : url, { type: 'module' });
}

function ownFile(url: string): string {
  if (!url.startsWith(new URL('.', document.baseURI).href)) throw new TypeError(`${url} is no file of the interface.`);
  return url;
}
