/** The worker's side: every request is answered, with null where the code cannot be highlighted. */
import type { HighlightAnswer, HighlightRequest } from './protocol.ts';
import { tokenise } from './tokenise.ts';

/** The part of a worker's own scope, or of a port, that is needed. */
export interface AnsweringPort {
  addEventListener(type: 'message', listener: (event: MessageEvent<HighlightRequest>) => void): void;
  postMessage(answer: HighlightAnswer, transfer: Transferable[]): void;
}

export function answerRequests(port: AnsweringPort): void {
  port.addEventListener('message', ({ data: { id, code, language } }) => {
    void tokenise(code, language).then(
      (runs) => port.postMessage({ id, runs }, [runs.buffer]),
      () => port.postMessage({ id, runs: null }, []),
    );
  });
}
