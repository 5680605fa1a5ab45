/** How far back the layers of a model can see, a line for those that see alike. */
import type { LayerGroup } from '../../../../host/contract/entities.ts';
import { layersInWords, sightInWords } from '../layerWords.ts';
import { layerStrings as text } from '../layerStrings.ts';

export function LayerSight({ layers, className }: { layers: readonly LayerGroup[]; className?: string }) {
  if (layers.length === 0) return null;
  return (
    <section aria-label={text.title} data-testid="layer-sight" className={className}>
      <h3 className="pb-1 text-tiny font-medium text-faint">{text.title}</h3>
      <dl>
        {layers.map((group) => (
          <div key={group.layers[0]} className="flex gap-3 py-0.5">
            <dt className="w-24 shrink-0 text-quiet">{layersInWords(group.layers)}</dt>
            <dd className="flex-1">{sightInWords(group)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
