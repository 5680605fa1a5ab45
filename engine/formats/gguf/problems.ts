import { EngineError } from '../../errors.ts';

/** The failures of reading a GGUF file. Its name opens every message, so a list of files stays clear. */

export function notAGguf(message: string, remedy = 'Choose a model file in the GGUF format.'): EngineError {
  return new EngineError('not-a-gguf', message, remedy);
}

/** `what` needs bytes `startBytes` to `endBytes`, and the file is shorter. */
export function truncated(
  fileName: string,
  what: string,
  startBytes: number,
  endBytes: number,
  fileBytes: number,
): EngineError {
  return new EngineError(
    'gguf-truncated',
    `${fileName} ends too early: ${what} needs bytes ${startBytes} to ${endBytes}, but the file has ${fileBytes} bytes.`,
    'The download is probably incomplete; download the file again.',
  );
}

export function invalid(fileName: string, why: string, cause?: unknown): EngineError {
  return new EngineError(
    'gguf-invalid',
    `${fileName} is damaged or was written wrongly: ${why}.`,
    'Download the file again, or choose another version of this model.',
    { cause },
  );
}

export function unsupportedVersion(message: string, remedy: string): EngineError {
  return new EngineError('gguf-unsupported-version', message, remedy);
}

export function unknownTensorType(fileName: string, tensorName: string, why: string): EngineError {
  return new EngineError(
    'unknown-quantisation',
    `${fileName} cannot be read: tensor "${tensorName}" has ${why}.`,
    'Choose another quantisation of this model, for example Q4_K_M or Q8_0.',
  );
}
