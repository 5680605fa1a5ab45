/** Names by which models can be told apart where nothing else of them is shown. */
import type { ModelRecord } from '../../../host/contract/entities.ts';

type Named = Pick<ModelRecord, 'id' | 'name' | 'quantisation' | 'fileName'>;

/** By id: the name; of models that share one with their quantisation, and where that is the same, too, with their file. */
export function namesOf(models: readonly Named[]): ReadonlyMap<string, string> {
  const alike = (model: Named, same: (keyof Named)[]): boolean => models.some((other) => other.id !== model.id && same.every((key) => other[key] === model[key]));
  return new Map(
    models.map((model) => {
      if (!alike(model, ['name'])) return [model.id, model.name];
      if (!alike(model, ['name', 'quantisation'])) return [model.id, `${model.name} · ${model.quantisation}`];
      return [model.id, `${model.name} · ${model.quantisation} · ${model.fileName}`];
    }),
  );
}
