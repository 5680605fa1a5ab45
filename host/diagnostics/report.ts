/**
 * What a person may hand to somebody who looks for a fault: facts about the machine, counts, settings, the log. Built of
 * what is listed here and nothing else, so that no text of theirs can be in it; they see it before they save it.
 */
import type { Host } from '../host.ts';
import { reportMachine } from '../machineReport.ts';

const logLines = 400;

export async function writeReport(host: Host): Promise<string> {
  const { supervisor, settings, documents, models, memories, readings, downloads, outbound, redaction, log } = host;
  const { defaultSystemPrompt, api, shortcuts, ...plain } = settings.read();
  const machine = await reportMachine(host.folder.root);
  const usage = await memories.quota(undefined);
  const { adapter, state, failure, memory, loadedModelId } = supervisor.status;
  const report = {
    writtenAt: new Date().toISOString(),
    machine,
    worker: { state, failure, adapter, memory, modelLoaded: loadedModelId !== null },
    settings: { ...plain, systemPromptCharacters: defaultSystemPrompt.length, api: api.enabled, ownShortcuts: Object.keys(shortcuts).length },
    counts: {
      documents: documents.list().length,
      documentCharacters: documents.list().reduce((sum, { characters }) => sum + characters, 0),
      models: models.list().map(({ architecture, quantisation, sizeBytes, state: modelState }) => ({ architecture, quantisation, sizeBytes, state: modelState })),
      readings: readings.list().map(({ state: readingState, doneTokens, totalTokens }) => ({ state: readingState, doneTokens, totalTokens })),
      downloads: downloads.list().map(({ state: downloadState, doneBytes, totalBytes }) => ({ state: downloadState, doneBytes, totalBytes })),
    },
    memories: usage,
    requests: outbound.list().map(({ at_ms, purpose, address, outcome }) => ({ at: new Date(at_ms).toISOString(), purpose, address, outcome })),
  };
  return redaction.apply(`${JSON.stringify(report, null, 2)}\n\n${log.read(logLines).join('\n')}\n`);
}
