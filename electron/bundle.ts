/** Answers `app://bundle/…` from the folder of the built interface, with its security headers. */
import { readFile } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';

export const bundleScheme = 'app';
export const bundleHost = 'bundle';
export const bundleUrl = `${bundleScheme}://${bundleHost}/index.html`;

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const securityHeaders = {
  'Content-Security-Policy': contentSecurityPolicy,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

const contentTypes: Record<string, string> = {
  '.bcmap': 'application/octet-stream',
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.pfb': 'application/octet-stream',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
};

export interface BundleAnswer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** The file that a URL of the scheme names; 404 for whatever is not in the folder. */
export async function answerFromBundle(folder: string, requestUrl: string): Promise<BundleAnswer> {
  const path = bundlePath(folder, requestUrl);
  const contentType = path && contentTypes[extname(path)];
  if (!contentType) return notFound();
  try {
    return { status: 200, headers: { ...securityHeaders, 'Content-Type': contentType }, body: await readFile(path) };
  } catch {
    return notFound();
  }
}

/** True for the pages that may talk to main. */
export function isBundleUrl(text: string): boolean {
  const url = parseUrl(text);
  return url?.protocol === `${bundleScheme}:` && url.host === bundleHost;
}

function bundlePath(folder: string, requestUrl: string): string | undefined {
  if (!isBundleUrl(requestUrl)) return undefined;
  const name = decodePath(new URL(requestUrl).pathname);
  if (name === undefined || name.includes('\0')) return undefined;
  const path = normalize(join(folder, name === '/' ? 'index.html' : name));
  return path.startsWith(folder + sep) ? path : undefined;
}

function decodePath(pathname: string): string | undefined {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return undefined;
  }
}

export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function notFound(): BundleAnswer {
  return { status: 404, headers: { ...securityHeaders, 'Content-Type': 'text/plain; charset=utf-8' }, body: Buffer.from('Not found') };
}
