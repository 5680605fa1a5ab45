import { beforeAll, expect, test } from 'vitest';
import { seededRandom } from '../../engine/formats/quantisation/testing/seededRandom.ts';
import { MemoryStore } from '../memories/memoryStore.ts';
import { buildWorker } from '../testing/builtWorker.ts';
import { makeScene, Person } from '../testing/memoryScene.ts';

/** More by hand: LONGLEAF_KILLS=100, and others by LONGLEAF_KILL_SEED. */
const rounds = Number(process.env['LONGLEAF_KILLS'] ?? 20);
const seed = Number(process.env['LONGLEAF_KILL_SEED'] ?? 7);
const conversations = ['one', 'two'];

let entry: string;
beforeAll(() => {
  entry = buildWorker();
}, 120_000);

test(`${rounds} kills while reading, sealing, answering and deleting: nothing is corrupt, nothing wrong, little is read again`, { timeout: Math.max(600_000, 60_000 * rounds) }, async () => {
  const scene = makeScene();
  const random = seededRandom(seed);
  const question = (number: number): string => ['where?', 'what does it say, and to whom'][number];

  // What an answer is when nobody is killed and nothing is kept.
  const expected = new Map<string, string>();
  const undisturbed = await Person.start(entry, scene);
  for (const document of scene.documents) for (const number of [0, 1]) expected.set(`${document.id} ${number}`, await undisturbed.askAnew(document, question(number)));
  await undisturbed.quit();
  expect(new Set(expected.values()).size).toBe(expected.size);
  // Long enough that a reading or two, or some answers, come to their end, in a worker whose kernels were compiled before.
  const timed = await Person.start(entry, scene);
  const started = performance.now();
  for (const [key, text] of expected) {
    const [id, number] = key.split(' ');
    const document = scene.documents.find((one) => one.id === id)!;
    expect(await timed.askAnew(document, question(Number(number)))).toBe(text);
  }
  const windowMs = performance.now() - started;
  await timed.quit();

  let answers = 0;
  let finished = 0;
  let resumed = 0;
  let underWay: 'reading' | 'answering' | 'deleting' = 'reading';
  const interrupted = { reading: 0, answering: 0, deleting: 0 };
  for (let round = 0; round < rounds; round++) {
    const person = await Person.start(entry, scene);
    let killed = false;
    const deadline = setTimeout(() => {
      killed = true;
      void person.kill();
    }, random() * windowMs);
    try {
      for (;;) {
        const document = scene.documents[Math.floor(random() * scene.documents.length)];
        const chance = random();
        if (chance < 0.3) {
          underWay = 'deleting';
          // All that holds it, so that it is read anew; or one of them.
          const owners = [`document:${document.id}`, `reading:${document.id}`, ...conversations.map((name) => `conversation:${name}`)];
          for (const owner of random() < 0.7 ? owners : owners.slice(0, 1)) await person.remove(owner);
        } else if (chance < 0.65) {
          underWay = 'reading';
          await person.read(document);
          finished++;
        } else {
          underWay = 'answering';
          const number = random() < 0.5 ? 0 : 1;
          expect((await person.ask(document, conversations[Math.floor(random() * conversations.length)], question(number))).text).toBe(expected.get(`${document.id} ${number}`));
          answers++;
        }
      }
    } catch (error) {
      if (!killed) throw error;
      interrupted[underWay]++;
    } finally {
      clearTimeout(deadline);
      await person.kill();
    }
    const store = await MemoryStore.open({ folder: scene.folder, keptFreeBytes: 0 });
    expect(store.problems()).toEqual([]);
    expect(await store.scrub(undefined, () => Promise.resolve())).toEqual([]);
    await store.close();
  }

  // A reading that is killed goes on from the last segment: at most the one on its way and the one that fills are lost.
  for (const document of scene.documents) {
    const person = await Person.start(entry, scene);
    await person.remove(`document:${document.id}`);
    await person.remove(`reading:${document.id}`);
    for (const conversation of conversations) await person.remove(`conversation:${conversation}`);
    const reading = person.read(document);
    reading.catch(() => undefined);
    while ((person.readTokens.get(document.id) ?? 0) < 1200) await new Promise((resolve) => setTimeout(resolve, 2));
    const reached = person.readTokens.get(document.id) ?? 0;
    await person.kill();
    const again = await Person.start(entry, scene);
    const { tokens, keptTokens } = await again.read(document);
    if (reached < tokens) {
      expect(keptTokens).toBeGreaterThanOrEqual(Math.floor(reached / 512) * 512 - 512);
      expect(keptTokens).toBeGreaterThan(0);
      resumed++;
    }
    for (const number of [0, 1]) expect((await again.ask(document, conversations[0], question(number))).text).toBe(expected.get(`${document.id} ${number}`));
    await again.quit();
  }
  console.log(`${rounds} kills: ${finished} readings and ${answers} answers finished before theirs, ${resumed} readings resumed; killed while ${JSON.stringify(interrupted)}`);
  expect(interrupted.reading).toBeGreaterThan(0);
  expect(interrupted.answering).toBeGreaterThan(0);
  expect(finished + answers).toBeGreaterThan(rounds / 6);
});
