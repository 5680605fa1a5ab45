/** The thread that renders a chat template; see `templateThread.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import { renderTemplateText } from '../../engine/prompt/renderChat.ts';

try {
  parentPort?.postMessage({ text: renderTemplateText(workerData.template, workerData.context) });
} catch (error) {
  parentPort?.postMessage({ error: error instanceof Error ? error.message : String(error) });
}
