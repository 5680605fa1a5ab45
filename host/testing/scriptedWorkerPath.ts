import { fileURLToPath } from 'node:url';

export const scriptedWorkerPath = fileURLToPath(new URL('./scriptedWorker.ts', import.meta.url));
