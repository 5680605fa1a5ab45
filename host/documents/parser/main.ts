/**
 * The process that parses one document and ends. It was started with Node's permission model: it can read that
 * document and its own code, write into one folder, and start nothing.
 */
import { HostError, systemErrorCode, toFailure } from '../../errors.ts';
import { quoted } from '../../wording.ts';
import { parse } from './parse.ts';
import { type ParserReply, parserRequest } from './protocol.ts';

const progressEveryMs = 100;

process.once('message', (message) => void serve(message));
// Without its host nobody wants the result.
process.once('disconnect', () => process.exit(0));

async function serve(message: unknown): Promise<void> {
  const { output, ...source } = parserRequest.parse(message);
  let toldMs = 0;
  const onProgress = (done: number, total: number) => {
    const now = Date.now();
    if (now - toldMs < progressEveryMs && done < total) return;
    toldMs = now;
    tell({ kind: 'progress', done, total });
  };
  try {
    await end({ kind: 'parsed', document: await parse({ ...source, onProgress }, output) });
  } catch (error) {
    await end({ kind: 'failed', failure: toFailure(told(source.name, error)) });
  }
}

/** What the system refused, in words about the document. */
function told(name: string, error: unknown): unknown {
  const code = systemErrorCode(error);
  if (code === 'ENOSPC') return new HostError('disk-full', `The disk is full: the text of ${quoted(name)} could not be kept.`, 'Free some space and add it again.', { cause: error });
  if (code === 'EACCES' || code === 'EPERM') {
    return new HostError('file-unreadable', `${quoted(name)} cannot be read: you have no permission to read it.`, 'Give yourself read access to the file, or choose another.', { cause: error });
  }
  return error;
}

function tell(reply: ParserReply): void {
  process.send?.(reply);
}

function end(reply: ParserReply): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(reply, undefined, undefined, () => {
      resolve();
      process.exit(0);
    });
  });
}
