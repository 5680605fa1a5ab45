import { useEffect } from 'react';
import { attempt } from '../../../app/failures.ts';
import { formatBytes } from '../../../app/format.ts';
import { strings } from '../../../app/strings.ts';
import { Button } from '../../../ui/Button.tsx';
import { DataFolderRow } from '../../dataFolder/components/DataFolderRow.tsx';
import { useSettings } from '../store.ts';
import { settingsStrings } from '../strings.ts';
import { FactRow, SettingSection } from './SettingRow.tsx';

const text = settingsStrings.machine;

export function MachineSection() {
  const machine = useSettings((state) => state.machine);
  const loadMachine = useSettings((state) => state.loadMachine);
  useEffect(() => attempt(loadMachine()), [loadMachine]);
  return (
    <SettingSection title={text.title} tools={<Button variant="ghost" onClick={() => attempt(loadMachine())}>{text.refresh}</Button>}>
      {machine ? (
        <dl className="py-1">
          <FactRow label={text.computer}>{text.cores(machine.cpuModel, machine.cpuCores)}</FactRow>
          <FactRow label={text.memory}>{text.memoryValue(formatBytes(machine.freeMemoryBytes), formatBytes(machine.memoryBytes))}</FactRow>
          <FactRow label={text.disk}>{text.diskValue(formatBytes(machine.diskFreeBytes))}</FactRow>
          <DataFolderRow path={machine.dataFolder} />
          <FactRow label={text.versions}>
            <span className="flex flex-wrap gap-x-4">
              {Object.entries(machine.versions).map(([name, version]) => (
                <span key={name}>
                  <span className="text-quiet">{name}</span> {version}
                </span>
              ))}
            </span>
          </FactRow>
        </dl>
      ) : (
        <p className="py-2.5 text-quiet">{strings.common.loading}</p>
      )}
    </SettingSection>
  );
}
