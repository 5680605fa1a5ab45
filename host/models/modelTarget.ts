/** A model of the library as the worker is asked to load it. */
import type { ModelRecord } from '../contract/entities.ts';
import { type KvBudgets, largestBudgetFor, type PolicySetting } from '../contract/policy.ts';
import type { ModelTarget } from '../worker/modelSession.ts';
import { needsBoundsChecks } from './boundsChecks.ts';
import { missingFile } from './modelFileFailures.ts';
import type { ModelStore } from './modelStore.ts';

/** @throws `model-missing` when its file is not where it was. */
export function modelTarget(models: ModelStore, model: ModelRecord, budgets: KvBudgets, policy: PolicySetting | null): ModelTarget {
  if (model.state === 'missing') throw missingFile(model);
  return {
    id: model.id,
    path: models.path(model.id),
    contextTokens: null,
    boundsChecks: needsBoundsChecks(models.isOfCatalogue(model)),
    // Page bounds and graphs cost memory, and only one policy each reads them.
    kv: { ...budgets, offload: 'needed', pages: policy?.name === 'quest', graphs: policy?.name === 'graph', mayLackSketch: false, largestBudget: largestBudgetFor(policy) },
  };
}
