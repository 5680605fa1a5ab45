/** `longleaf doctor`: what this machine offers. */
import * as z from 'zod';
import type { AdapterReport } from '../contract/entities.ts';
import { RelayedError } from '../errors.ts';
import { reportMachine } from '../machineReport.ts';
import { openDataFolder } from '../storage/dataFolder.ts';
import { needsBoundsChecks } from '../models/boundsChecks.ts';
import { formatBytes } from '../wording.ts';
import type { CommandContext } from './context.ts';
import { withEngine, withModels } from './engine.ts';
import { formatTree } from './formatTree.ts';

const anyReport = z.unknown();

export async function doctor({ output, dataFolder, signal }: CommandContext): Promise<void> {
  const machine = await reportMachine(openDataFolder(dataFolder).root);
  output.text(
    `Machine\n  ${machine.platform}\n  ${machine.cpuModel}, ${machine.cpuCores} cores, ${formatBytes(machine.memoryBytes)} of memory\n` +
      `  ${formatBytes(machine.diskFreeBytes)} free in ${machine.dataFolder}\n` +
      `  ${Object.entries(machine.versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', ')}\n`,
  );
  const models = withModels(dataFolder, (store) =>
    store.list().map((model) => ({ id: model.id, boundsChecks: needsBoundsChecks(store.isOfCatalogue(model)) })),
  );
  if (models.length > 0) output.text(describeChecks(models));
  await withEngine(async ({ supervisor }) => {
    try {
      const engine = await supervisor.run({ kind: 'doctor' }, anyReport, { signal });
      const { adapter } = supervisor.status;
      if (adapter) output.text(describeAdapter(adapter));
      output.text(`Engine\n${formatTree(engine)}`);
      output.event({ event: 'done', machine, models, adapter, engine });
    } catch (error) {
      output.event({ event: 'done', machine, models, adapter: null, failure: error instanceof RelayedError ? error.failure : String(error) });
      throw error;
    }
  });
}

function describeChecks(models: readonly { id: string; boundsChecks: boolean }[]): string {
  const lines = models.map(({ id, boundsChecks }) => `  ${id}: ${boundsChecks ? 'checked' : 'unchecked, as it is one of the catalogue'}\n`);
  return `Bounds of every access in shaders\n${lines.join('')}`;
}

function describeAdapter(adapter: AdapterReport): string {
  const kind = adapter.kind === 'software' ? ' (software, runs on the CPU)' : '';
  return (
    `Adapter\n  ${adapter.name}${kind}\n  ${adapter.vendor} ${adapter.architecture}, ${adapter.driver}\n` +
    `  features: ${adapter.features.join(', ')}\n${adapter.advice ? `  ${adapter.advice}\n` : ''}`
  );
}
