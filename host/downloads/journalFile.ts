/**
 * A small record that is replaced again and again and survives a kill, a power cut and a full disk: two slots in one
 * file, written in turn, in place, so that a new record never needs room that the disk may not have. A slot is a line
 * "SHA-256 sequence JSON", filled with blanks; one that was not written to its end does not fit its digest.
 */
import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';

const leastSlotBytes = 32 * 1024;

interface Slot {
  sequence: number;
  value: unknown;
}

export class JournalFile {
  readonly path: string;
  #sequence: number;

  private constructor(path: string, sequence: number) {
    this.path = path;
    this.#sequence = sequence;
  }

  /** With what it held last; undefined when nothing of it can be read. */
  static async open(path: string): Promise<{ journal: JournalFile; value: unknown }> {
    const slots = await readSlots(path);
    const newest = slots.sort((a, b) => b.sequence - a.sequence)[0];
    return { journal: new JournalFile(path, newest?.sequence ?? 0), value: newest?.value };
  }

  /** Resolves when it is safe on disk. A record longer than a slot makes new, larger slots. */
  async replace(value: unknown): Promise<void> {
    const line = lineOf(this.#sequence + 1, value);
    const file = await open(this.path, 'a+', 0o600).then(async (made) => {
      await made.close();
      return open(this.path, 'r+');
    });
    try {
      const { size } = await file.stat();
      let slotBytes = size / 2;
      if (!Number.isInteger(slotBytes) || slotBytes < line.length) {
        slotBytes = Math.max(leastSlotBytes, 2 ** Math.ceil(Math.log2(line.length)));
        // Whole in both slots before the file is used: a cut in between leaves no record, as there was none or an old one.
        const both = Buffer.alloc(2 * slotBytes, ' ');
        for (const offset of [0, slotBytes]) line.copy(both, offset);
        await file.write(both, 0, both.length, 0);
      } else {
        const slot = Buffer.alloc(slotBytes, ' ');
        line.copy(slot);
        await file.write(slot, 0, slotBytes, ((this.#sequence + 1) % 2) * slotBytes);
      }
      await file.sync();
      this.#sequence += 1;
    } finally {
      await file.close();
    }
  }
}

function lineOf(sequence: number, value: unknown): Buffer {
  const record = `${sequence} ${JSON.stringify(value)}`;
  return Buffer.from(`${digest(record)} ${record}\n`);
}

async function readSlots(path: string): Promise<Slot[]> {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0));
  const half = Math.floor(bytes.length / 2);
  return [bytes.subarray(0, half), bytes.subarray(half)].flatMap((slot) => {
    const [, stated, record, sequence, json] = /^([0-9a-f]{64}) ((\d+) (.*))\n/.exec(slot.toString()) ?? [];
    if (!json || record === undefined || digest(record) !== stated) return [];
    return [{ sequence: Number(sequence), value: JSON.parse(json) as unknown }];
  });
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
