import type { Settings } from '../../../../host/contract/entities.ts';
import { ScreenHeader } from '../../../app/ScreenHeader.tsx';
import { ScrollRegion } from '../../../ui/ScrollRegion.tsx';
import { attempt } from '../../../app/failures.ts';
import { languages } from '../../../../host/contract/languages.ts';
import { languageNames } from '../../../app/language.ts';
import { Segmented } from '../../../ui/Segmented.tsx';
import { Select } from '../../../ui/Select.tsx';
import { Switch } from '../../../ui/Switch.tsx';
import { useSettings } from '../store.ts';
import { settingsStrings as text } from '../strings.ts';
import { DiagnosticsSection } from '../../diagnostics/components/DiagnosticsSection.tsx';
import { PresetsSection } from '../../presets/components/PresetsSection.tsx';
import { ApiSection } from './ApiSection.tsx';
import { GpuReport } from './GpuReport.tsx';
import { MachineSection } from './MachineSection.tsx';
import { ModelSamplingSection } from './ModelSamplingSection.tsx';
import { NetworkSection } from './NetworkSection.tsx';
import { UpdatesSection } from './UpdatesSection.tsx';
import { OutboundList } from './OutboundList.tsx';
import { ReadingMemorySection } from './ReadingMemorySection.tsx';
import { SamplingForm } from './SamplingForm.tsx';
import { ShortcutsSection } from './ShortcutsSection.tsx';
import { SettingRow, SettingSection } from './SettingRow.tsx';
import { TextSetting } from './TextSetting.tsx';
import { TimelineSection } from './TimelineSection.tsx';

const themes = (['system', 'light', 'dark', 'contrast'] as const).map((value) => ({ value, label: text.appearance.themes[value] }));

export function SettingsScreen() {
  const settings = useSettings((state) => state.settings);
  const update = useSettings((state) => state.update);
  const change = (part: Partial<Settings>) => attempt(update(part));
  return (
    <>
      <ScreenHeader>
        <h1 className="text-body font-semibold">{text.title}</h1>
      </ScreenHeader>
      <ScrollRegion label={text.title} className="flex-1">
        <div className="mx-auto max-w-[46rem] px-6 pt-6 pb-4">
          <SettingSection title={text.appearance.title}>
            <SettingRow label={text.appearance.theme} hint={text.appearance.themeHint}>
              <Segmented label={text.appearance.theme} value={settings.theme} options={themes} onChange={(theme) => change({ theme })} />
            </SettingRow>
            <SettingRow label={text.appearance.language} hint={text.appearance.languageHint}>
              <Select label={text.appearance.language} value={settings.language} onChange={(event) => change({ language: event.target.value as Settings['language'] })}>
                <option value="system">{text.appearance.languageOfSystem}</option>
                {languages.map((name) => (
                  <option key={name} value={name} lang={name}>
                    {languageNames[name]}
                  </option>
                ))}
              </Select>
            </SettingRow>
          </SettingSection>
          <SettingSection title={text.privacy.title}>
            <SettingRow label={text.privacy.offline} hint={text.privacy.offlineHint} hintId="offline-hint">
              <Switch label={text.privacy.offline} describedBy="offline-hint" checked={settings.offline} onCheckedChange={(offline) => change({ offline })} />
            </SettingRow>
            <OutboundList />
          </SettingSection>
          <NetworkSection settings={settings} change={change} />
          <UpdatesSection />
          <SettingSection title={text.answers.title} hint={text.answers.hint}>
            <div className="py-2.5">
              <TextSetting
                label={text.answers.systemPrompt}
                hint={text.answers.systemPromptHint}
                value={settings.defaultSystemPrompt}
                onCommit={(defaultSystemPrompt) => change({ defaultSystemPrompt })}
              />
            </div>
            <SamplingForm value={settings.defaultSampling} onChange={(part) => change({ defaultSampling: { ...settings.defaultSampling, ...part } })} />
          </SettingSection>
          <ModelSamplingSection settings={settings} change={change} />
          <PresetsSection />
          <ReadingMemorySection settings={settings} change={change} />
          <ApiSection settings={settings} change={change} />
          <ShortcutsSection settings={settings} change={change} />
          <MachineSection />
          <GpuReport />
          <TimelineSection />
          <DiagnosticsSection />
        </div>
      </ScrollRegion>
    </>
  );
}
