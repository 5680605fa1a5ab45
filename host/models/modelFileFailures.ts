/** What can be wrong with the file of a model that was whole once. */
import type { ModelRecord } from '../contract/entities.ts';
import { HostError } from '../errors.ts';

export function missingFile(model: ModelRecord): HostError {
  if (model.place !== null) {
    return new HostError(
      'model-missing',
      `The file of ${model.name} (${model.fileName}) is not in ${model.place} now.`,
      'Connect the drive that holds it, or put the file back, and try again; another model can answer meanwhile.',
    );
  }
  return new HostError(
    'model-missing',
    `The file of ${model.name} (${model.fileName}) is no longer in the models folder.`,
    'Import the file again, or remove the model and download it again.',
  );
}

export function changedFile(model: ModelRecord, sha256: string) {
  return {
    code: 'checksum-mismatch',
    message: `The file of ${model.name} has changed: its SHA-256 is ${sha256}, not ${model.sha256}.`,
    remedy: 'Remove the model and download or import it again.',
  };
}
