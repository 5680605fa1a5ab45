/**
 * Where the host's own files are. From sources (type stripping) they lie in the repository; bundled,
 * everything lies beside `dist/host.js`.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const runsFromSources = import.meta.url.endsWith('.ts');

function located(fromSources: string, bundled: string): string {
  return fileURLToPath(new URL(runsFromSources ? fromSources : bundled, import.meta.url));
}

/** The GPU worker's entry. `LONGLEAF_WORKER` points tests to another one. */
export function workerEntry(): string {
  return process.env['LONGLEAF_WORKER'] ?? located('./gpu-worker/main.ts', './gpu-worker.js');
}

/** The program that measures llama.cpp. */
export function peerEntry(): string {
  return located('./peer/llamaPeerEntry.ts', './llama-peer.js');
}

/** The process that computes a truth bench. */
export function evalEntry(): string {
  return located('./eval/evalEntry.ts', './eval-process.js');
}

/** The program that measures contexts beyond the GPU. */
export function tiersEntry(): string {
  return located('../bench/tiers.ts', './tiers.js');
}

/** The process that parses one document. */
export function parserEntry(): string {
  return located('./documents/parser/main.ts', './document-parser.js');
}

/** What that process has to read to run: its code. */
export function parserCode(): string[] {
  if (!runsFromSources) return [located('../package.json', '../package.json')];
  return ['../host/*', '../engine/*', '../node_modules/*', '../package.json'].map((path) => located(path, path));
}

/** pdf.js's character maps and fonts. */
export function pdfDataFolder(): string {
  return located('../node_modules/pdfjs-dist', './renderer/pdf');
}

/** A public-domain text that comes along. */
export function sampleBookPath(): string {
  return located('../assets/sample/alice-in-wonderland-chapter-1.txt', '../assets/sample/alice-in-wonderland-chapter-1.txt');
}

/** The built interface. */
export function rendererFolder(): string {
  return process.env['LONGLEAF_RENDERER'] ?? located('../dist/renderer', './renderer');
}

/** The licences of what is shipped, which the build collects. */
export function licencesFile(): string {
  return located('../dist/licences.json', './licences.json');
}

export function appVersion(): string {
  try {
    const manifest: unknown = JSON.parse(readFileSync(located('../package.json', '../package.json'), 'utf8'));
    if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version);
  } catch {
    // A packaged app may have no package.json beside it.
  }
  return 'unknown';
}
