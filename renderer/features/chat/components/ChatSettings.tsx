/** Model, system prompt, policy and sampling of the open chat. */
import type { Sampling } from '../../../../host/contract/entities.ts';
import { attempt } from '../../../app/failures.ts';
import { Button } from '../../../ui/Button.tsx';
import { Select } from '../../../ui/Select.tsx';
import { namesOf } from '../../models/modelNames.ts';
import { useModels } from '../../models/store.ts';
import { PresetPicker } from '../../presets/components/PresetPicker.tsx';
import { SamplingForm } from '../../settings/components/SamplingForm.tsx';
import { newChatSampling } from '../../settings/sampling.ts';
import { TextSetting } from '../../settings/components/TextSetting.tsx';
import { useSettings } from '../../settings/store.ts';
import { useActiveConversation, useActiveModel } from '../hooks/useChatContext.ts';
import type { ConversationChange } from '../conversationsSlice.ts';
import { chatStore } from '../store.ts';
import { chatStrings } from '../strings.ts';
import { titleOf } from '../titleOf.ts';
import { PolicyPicker } from './PolicyPicker.tsx';

const text = chatStrings.header;

async function changeActive(change: ConversationChange): Promise<void> {
  const { ensureOpen, change: apply } = chatStore.getState();
  await apply((await ensureOpen()).id, change);
}

/** Of the sampling that the chat has by then: another change of it may be on its way. */
async function changeSampling(change: Partial<Sampling>): Promise<void> {
  const { id, sampling } = await chatStore.getState().ensureOpen();
  const latest = chatStore.getState().conversations.find((conversation) => conversation.id === id);
  await chatStore.getState().change(id, { sampling: { ...(latest?.sampling ?? sampling), ...change } });
}

export function ChatSettings() {
  const conversation = useActiveConversation();
  const defaults = useSettings((state) => state.settings);
  const update = useSettings((state) => state.update);
  const models = useModels((state) => state.models);
  const model = useActiveModel();
  const sampling = conversation?.sampling ?? newChatSampling(defaults, model?.id ?? null);
  return (
    <div className="flex flex-col gap-4">
      <label className="flex flex-col gap-1">
        <span className="font-medium">{text.model}</span>
        <Select label={text.model} value={model?.id ?? ''} onChange={(event) => attempt(changeActive({ modelId: event.target.value }))}>
          {!model && <option value="">{text.noModel}</option>}
          {[...namesOf(models)].map(([id, name]) => (
            <option key={id} value={id}>
              {id === defaults.defaultModelId ? text.defaultModel(name) : name}
            </option>
          ))}
        </Select>
      </label>
      <PresetPicker
        title={titleOf(conversation?.title ?? '')}
        systemPrompt={conversation?.systemPrompt ?? defaults.defaultSystemPrompt}
        sampling={sampling}
        onChoose={(chosen) => attempt(changeActive(chosen))}
      />
      <TextSetting
        label={text.systemPrompt}
        hint={text.systemPromptHint}
        value={conversation?.systemPrompt ?? defaults.defaultSystemPrompt}
        onCommit={(systemPrompt) => attempt(changeActive({ systemPrompt }))}
      />
      <PolicyPicker value={conversation?.policy ?? null} onChange={(policy) => attempt(changeActive({ policy }))} />
      <section>
        <h2 className="mb-1 font-medium">{text.sampling}</h2>
        <SamplingForm
          compact
          value={sampling}
          onChange={(change) => attempt(changeSampling(change))}
        />
        {model && conversation && (
          <Button className="mt-2" onClick={() => attempt(update({ modelSampling: { ...defaults.modelSampling, [model.id]: conversation.sampling } }))}>
            {text.samplingForModel}
          </Button>
        )}
      </section>
    </div>
  );
}
