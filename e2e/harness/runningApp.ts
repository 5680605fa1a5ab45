/** What a test sees of a running Longleaf, in a browser or in Electron. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';

export interface RunningApp {
  readonly kind: 'chromium' | 'electron';
  /** The only window; another object after `restart`. */
  readonly page: Page;
  /** Everything that the content security policy refused so far. */
  readonly policyViolations: readonly string[];
  /** The process of the host, which is the parent of the GPU worker's. */
  hostProcessId(): number;
  /** Does `action`, which opens a file dialog, and chooses a file in it. */
  choosingFile(path: string, action: () => Promise<void>): Promise<void>;
  /** Quits in an orderly way and starts again on the same data. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface AppOptions {
  dataFolder: string;
  environment: Record<string, string>;
  /** Another program than the built host; in a browser only. */
  entry?: string;
  /** What starts it, for another machine than this one; in a browser only. */
  command?: readonly string[];
}

/** An environment variable that `npm test` sets. */
export function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the tests by “npm test -- chromium” or “npm test -- electron”.`);
  return value;
}

export const repositoryFolder = join(import.meta.dirname, '..', '..');
export const hostEntry = join(repositoryFolder, 'dist', 'host.js');

export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'longleaf-e2e-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
