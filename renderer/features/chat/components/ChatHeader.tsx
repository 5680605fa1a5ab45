import { ChevronDown, SlidersHorizontal } from 'lucide-react';
import { useState } from 'react';
import type { ModelRecord } from '../../../../host/contract/entities.ts';
import { ScreenHeader } from '../../../app/ScreenHeader.tsx';
import { attempt } from '../../../app/failures.ts';
import { actions } from '../../../app/actions/actions.ts';
import { strings } from '../../../app/strings.ts';
import { IconButton } from '../../../ui/IconButton.tsx';
import { Menu, MenuChoice, MenuChoices, MenuItem, MenuSeparator } from '../../../ui/Menu.tsx';
import { Popover } from '../../../ui/Popover.tsx';
import { Tooltip } from '../../../ui/Tooltip.tsx';
import { useModels } from '../../models/store.ts';
import { useActiveConversation, useActiveModel } from '../hooks/useChatContext.ts';
import { chatStore } from '../store.ts';
import { chatStrings } from '../strings.ts';
import { titleOf } from '../titleOf.ts';
import { ChatSettings } from './ChatSettings.tsx';
import { TitleField } from './TitleField.tsx';

const text = chatStrings.header;

export function ChatHeader() {
  const conversation = useActiveConversation();
  const [renaming, setRenaming] = useState(false);
  return (
    <ScreenHeader
      tools={
        <>
          <ModelMenu />
          <Popover label={text.settings} className="max-h-[min(38rem,var(--radix-popover-content-available-height))]! w-[min(25rem,94vw)] p-4" trigger={<IconButton icon={SlidersHorizontal} label={text.settings} />}>
            <ChatSettings />
          </Popover>
        </>
      }
    >
      {conversation && renaming ? (
        <TitleField conversation={conversation} onDone={() => setRenaming(false)} className="w-full max-w-sm" />
      ) : (
        <h1 className="flex min-w-0 text-body font-semibold">
          {conversation ? (
            <Tooltip content={chatStrings.list.rename}>
              <button type="button" className="-mx-1.5 truncate rounded-md px-1.5 hover:bg-hover" onClick={() => setRenaming(true)}>
                {titleOf(conversation.title)}
              </button>
            </Tooltip>
          ) : (
            chatStrings.untitled
          )}
        </h1>
      )}
    </ScreenHeader>
  );
}

function ModelMenu() {
  const models = useModels((state) => state.models);
  const model = useActiveModel();
  return (
    <Menu
      trigger={
        <button type="button" aria-label={text.model} className="flex h-7 max-w-60 items-center gap-1 rounded-md px-2 text-quiet hover:bg-hover hover:text-text aria-expanded:bg-hover">
          <span className="truncate">{model?.name ?? text.noModel}</span>
          <ChevronDown size={14} aria-hidden />
        </button>
      }
    >
      <MenuChoices value={model?.id ?? ''} onValueChange={(modelId) => attempt(chooseModel(modelId))}>
        {models.map((candidate) => (
          <MenuChoice key={candidate.id} value={candidate.id}>
            <ModelLine model={candidate} />
          </MenuChoice>
        ))}
      </MenuChoices>
      {models.length > 0 && <MenuSeparator />}
      <MenuItem onSelect={() => actions.perform('models.open')}>{strings.actions.openModels}</MenuItem>
    </Menu>
  );
}

export async function chooseModel(modelId: string): Promise<void> {
  const { ensureOpen, change } = chatStore.getState();
  const { id } = await ensureOpen();
  await change(id, { modelId });
}

function ModelLine({ model }: { model: ModelRecord }) {
  return (
    <span className="flex flex-1 items-center justify-between gap-6">
      <span>{model.name}</span>
      <span className="text-small text-faint">{model.state === 'missing' ? text.missing : model.quantisation}</span>
    </span>
  );
}
