import { Ellipsis, ShieldCheck, Star, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { ModelRecord } from '../../../../host/contract/entities.ts';
import { attempt } from '../../../app/failures.ts';
import { formatBytes, formatCompact } from '../../../app/format.ts';
import { ConfirmDialog } from '../../../ui/ConfirmDialog.tsx';
import { ExternalLink } from '../../../ui/ExternalLink.tsx';
import { IconButton } from '../../../ui/IconButton.tsx';
import { Menu, MenuItem } from '../../../ui/Menu.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { Spinner } from '../../../ui/Spinner.tsx';
import { ModelContext } from './ModelContext.tsx';
import { settingsStore, useSettings } from '../../settings/store.ts';
import { answeringModel, modelsStore, useModels } from '../store.ts';
import { modelsStrings as text } from '../strings.ts';

export function ModelRow({ model }: { model: ModelRecord }) {
  const preferred = useSettings((state) => state.settings.defaultModelId);
  const isDefault = useModels((state) => answeringModel(state.models, null, preferred)?.id === model.id);
  const verification = useModels((state) => state.verifications[model.id]);
  const cell = 'py-2 pr-4 align-top';
  return (
    <>
      <tr data-testid="model" className="border-t border-line">
        <th scope="row" className={`${cell} text-left font-normal normal-nums`}>
          <span className="flex flex-wrap items-center gap-x-2">
            <span className="font-medium">{model.name}</span>
            {isDefault && <span className="rounded-sm bg-accent-soft px-1.5 text-tiny font-medium text-accent-text">{text.isDefault}</span>}
          </span>
          <span className="block text-small text-faint">{text.parameters(formatCompact(model.parameters), model.architecture)}</span>
          {!model.chat && <span className="block text-small text-quiet">{text.base}</span>}
          {model.place !== null && <span className="block text-small break-all text-faint">{text.inFolder(model.place)}</span>}
          {model.state === 'missing' && <span className="block text-small text-danger-text">{text.missing}</span>}
        </th>
        <td className={`${cell} whitespace-nowrap`}>{formatBytes(model.sizeBytes)}</td>
        <td className={`${cell} max-md:hidden`}>{model.quantisation}</td>
        <td className={`${cell} whitespace-nowrap`}>
          <ModelContext model={model} />
        </td>
        <td className={`${cell} normal-nums max-md:hidden`}>{model.licence ? <ExternalLink href={model.licence.url}>{model.licence.name}</ExternalLink> : <span className="text-faint">{text.noLicence}</span>}</td>
        <td className="py-1.5 text-right">
          <ModelMenu model={model} isDefault={isDefault} />
        </td>
      </tr>
      {verification && (
        <tr>
          <td colSpan={6} className="pb-2">
            {verification.state === 'checking' && (
              <p role="status" className="flex items-center gap-2 text-quiet">
                <Spinner />
                {text.verifying}
              </p>
            )}
            {verification.state === 'matches' && (
              <p role="status" className="selectable flex gap-2 text-small break-all text-accent-text">
                <ShieldCheck size={15} aria-hidden />
                {text.matches(verification.sha256)}
              </p>
            )}
            {verification.state === 'differs' && <Notice tone="danger" message={verification.failure.message} remedy={verification.failure.remedy} />}
          </td>
        </tr>
      )}
    </>
  );
}

function ModelMenu({ model, isDefault }: { model: ModelRecord; isDefault: boolean }) {
  const [removing, setRemoving] = useState(false);
  return (
    <>
      <Menu trigger={<IconButton icon={Ellipsis} label={text.options(model.name)} />}>
        <MenuItem icon={Star} disabled={isDefault} onSelect={() => attempt(settingsStore.getState().update({ defaultModelId: model.id }))}>
          {text.makeDefault}
        </MenuItem>
        <MenuItem icon={ShieldCheck} onSelect={() => void modelsStore.getState().verify(model.id)}>
          {text.verify}
        </MenuItem>
        <MenuItem icon={Trash2} danger onSelect={() => setTimeout(() => setRemoving(true))}>
          {text.remove}
        </MenuItem>
      </Menu>
      <ConfirmDialog
        open={removing}
        onOpenChange={setRemoving}
        title={text.removeTitle(model.name)}
        description={model.owned ? text.removeText(formatBytes(model.sizeBytes)) : text.removeLinkedText}
        confirmLabel={text.remove}
        onConfirm={() => attempt(modelsStore.getState().remove(model.id))}
      />
    </>
  );
}
