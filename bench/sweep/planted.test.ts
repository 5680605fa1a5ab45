import { expect, test } from 'vitest';
import { entriesOf, namingItems, type PlantedRecord } from './planted.ts';

const record: PlantedRecord = { ship: 'Brave Dolphin', start: 100, end: 160 };
const item = (text: string, start = 0, verified = false) => ({ text, passages: [{ start, end: start + 50, verified }] });

test('an item gives a record when it is cited there or says what its ship carries or where to, right or wrong', () => {
  const giving = [
    item('Jonah, the brave Dolphin, carries glass to Havana.', 100, true),
    item('The Brave Dolphin', 100, true),
    item('The Brave Dolphin carried hay.'),
    item('The Brave Dolphin went to Perth.'),
    item('Brave Dolphin: wool'),
  ];
  // The last is cited at another sentence.
  const naming = [item('Jonah, the brave Dolphin, sails with the next coming tide.'), item('Jonah, the brave Dolphin, pays the fare thereof.', 300, true)];
  const others = [item('The Brave Heron carried glass to Havana.', 100, true)];
  const items = [...giving, ...naming, ...others];
  expect(entriesOf(items, record)).toEqual(giving);
  expect(namingItems(items, record)).toEqual([...giving, ...naming]);
});
