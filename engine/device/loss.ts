/** The end of a device, for whoever waits for something on it. */
import { EngineError } from '../errors.ts';

export class DeviceLoss {
  /** Resolves with the error to show when the device is gone; never rejects. */
  readonly lost: Promise<EngineError>;
  readonly #waiting = new Set<(error: EngineError) => void>();
  #error: EngineError | null = null;

  constructor(gpu: GPUDevice) {
    this.lost = gpu.lost.then((info) => {
      const error = new EngineError(
        'device-lost',
        `The GPU stopped responding${info.message ? `: ${firstLine(info.message)}` : ''}.`,
        'Try again: the engine rebuilds itself. If it happens often, update the graphics driver or choose a smaller model.',
      );
      this.#error = error;
      for (const reject of this.#waiting) reject(error);
      this.#waiting.clear();
      return error;
    });
  }

  /** null while the device lives. */
  get error(): EngineError | null {
    return this.#error;
  }

  /**
   * What `work` comes to, or a rejection with the loss when that is first. Not `Promise.race` with `lost`: that keeps
   * every result with the promise of the loss, which is pending as long as the device lives.
   */
  before<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#error) {
        reject(this.#error);
        return;
      }
      this.#waiting.add(reject);
      const settle = (end: () => void): void => {
        this.#waiting.delete(reject);
        end();
      };
      void work.then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(error)),
      );
    });
  }
}

function firstLine(text: string): string {
  return text.split('\n')[0].replace(/\.$/, '');
}
