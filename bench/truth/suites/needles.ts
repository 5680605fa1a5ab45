/** Sentences to find: one, several, one among near duplicates, the classic passkey. */
import { type Asked, cities, type MakeQuiz, names, pick, pickSeveral, type QuizOptions, spreadDepths, things, unmentioned, unusedNumber } from '../quiz.ts';

/** Others than those that numbers are kept for: an answer must not stand in another needle. */
const towns = ['Antwerp', 'Tampere', 'Rosario', 'Izmir', 'Hobart', 'Lucknow', 'Malaga', 'Calgary', 'Bordeaux', 'Valparaiso'];

type Wording = (options: QuizOptions, which: number) => { sentence: string } & Asked;

/** From a dry number to something that a story could tell. The lead repeats the sentence's own words. */
const wordings: Wording[] = [
  (options, which) => {
    const city = cities[which % cities.length];
    const answer = unusedNumber(options, 7);
    return { sentence: `The special magic number for ${city} is: ${answer}.`, question: `What is the special magic number for ${city}?`, lead: `The special magic number for ${city} is:`, answer };
  },
  (options, which) => {
    const name = names[which % names.length];
    const answer = unusedNumber(options, 5);
    return { sentence: `The secret code of Mr ${name} is ${answer}.`, question: `What is the secret code of Mr ${name}?`, lead: `The secret code of Mr ${name} is`, answer };
  },
  (options, which) => {
    const name = names[(which + 3) % names.length];
    const answer = pick(options.random, unmentioned(options.haystack, towns, 1));
    return {
      sentence: `That winter Mr ${name} sold his house and moved to ${answer} to open a bakery.`,
      question: `Where did Mr ${name} move to open a bakery?`,
      lead: `That winter Mr ${name} sold his house and moved to`,
      answer,
    };
  },
  (options, which) => {
    const place = ['library', 'cellar', 'observatory', 'greenhouse', 'archive'][which % 5];
    const answer = pick(options.random, unmentioned(options.haystack, things, 1));
    return { sentence: `The password to the ${place} is ${answer}.`, question: `What is the password to the ${place}?`, lead: `The password to the ${place} is`, answer };
  },
];

export const needle: MakeQuiz = (options) => {
  const { random, depth } = options;
  const { sentence, ...asked } = pick(random, wordings)(options, Math.floor(random() * 100));
  return { hidden: [{ text: sentence, depth: depth ?? random() }], asked: [asked] };
};

const several = 5;

/** Different wordings in turn, so that one is not taken for another; each is asked for by itself. */
export const needles: MakeQuiz = (options) => {
  const { random, depth } = options;
  const first = Math.floor(random() * 100);
  const made: ReturnType<Wording>[] = [];
  while (made.length < several) {
    const one = wordings[made.length % wordings.length](options, first + made.length);
    if (!made.some(({ answer }) => answer === one.answer)) made.push(one);
  }
  const depths = depth === null ? spreadDepths(random, several) : Array<number>(several).fill(depth);
  return { hidden: made.map(({ sentence }, i) => ({ text: sentence, depth: depths[i] })), asked: made.map(({ question, lead, answer }) => ({ question, lead, answer })) };
};

/** One sentence, and others whose key differs by a word or a letter. */
export const multikey: MakeQuiz = (options) => {
  const { random, depth } = options;
  const city = pick(random, cities);
  const others = [`North ${city}`, `New ${city}`, `${city} Bay`, `Old ${city}`, `${city}ville`, `Port ${city}`, `${city} Hills`];
  const sentence = (key: string, number: string): string => `The special magic number for ${key} is: ${number}.`;
  const answer = unusedNumber(options, 7);
  const spread = spreadDepths(random, others.length);
  const distractors = pickSeveral(random, others, others.length).map((key, i) => ({ text: sentence(key, unusedNumber(options, 7)), depth: spread[i] }));
  return {
    hidden: [{ text: sentence(city, answer), depth: depth ?? random() }, ...distractors],
    asked: [{ question: `What is the special magic number for ${city}?`, lead: `The special magic number for ${city} is:`, answer }],
  };
};

export const passkey: MakeQuiz = (options) => {
  const answer = unusedNumber(options, 5);
  return {
    hidden: [{ text: `There is important information here. The pass key is ${answer}. Remember it.`, depth: options.depth ?? options.random() }],
    asked: [{ question: 'What is the pass key?', lead: 'The pass key is', answer }],
  };
};
