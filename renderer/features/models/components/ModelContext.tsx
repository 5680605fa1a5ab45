/** The context of a model at hand; pressed, how far back its layers see of it. */
import { useState } from 'react';
import type { LayerGroup, ModelRecord } from '../../../../host/contract/entities.ts';
import { host } from '../../../app/connection/session.ts';
import { attempt } from '../../../app/failures.ts';
import { formatCount } from '../../../app/format.ts';
import { Popover } from '../../../ui/Popover.tsx';
import { Spinner } from '../../../ui/Spinner.tsx';
import { layerStrings } from '../layerStrings.ts';
import { modelsStrings as text } from '../strings.ts';
import { LayerSight } from './LayerSight.tsx';

export function ModelContext({ model }: { model: ModelRecord }) {
  const [open, setOpen] = useState(false);
  const [layers, setLayers] = useState<readonly LayerGroup[] | null>(null);
  const tokens = text.contextTokens(formatCount(model.contextTokens));
  if (model.state === 'missing') return tokens;
  const look = async (): Promise<void> => {
    try {
      const verdict = await host.call('models.verdict', { modelId: model.id, contextTokens: null });
      setLayers(verdict.layers);
    } catch (error) {
      setOpen(false);
      throw error;
    }
  };
  return (
    <Popover
      label={layerStrings.show(model.name)}
      align="start"
      className="w-96 p-3"
      open={open}
      onOpenChange={(now) => {
        setOpen(now);
        if (now && !layers) attempt(look());
      }}
      trigger={
        <button type="button" aria-label={`${tokens}: ${layerStrings.show(model.name)}`} className="-ml-1 rounded-md px-1 underline decoration-line-strong decoration-dotted underline-offset-4 hover:decoration-text">
          {tokens}
        </button>
      }
    >
      {layers ? <LayerSight layers={layers} /> : <Spinner />}
    </Popover>
  );
}
