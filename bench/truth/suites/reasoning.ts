/** Facts that must be put together: in several hops, by counting, by their order. */
import { cities, type MakeQuiz, names, pick, pickSeveral, spreadDepths, things, unmentioned } from '../quiz.ts';

/** Three sentences, each of which leads to the next, in random places. */
export const hops: MakeQuiz = ({ random, haystack, depth }) => {
  const [owner, buyer] = pickSeveral(random, names, 2);
  const thing = pick(random, unmentioned(haystack, things, 1));
  const answer = pick(random, unmentioned(haystack, cities, 1));
  const chain = [
    `The golden key of Mr ${owner} is kept in the ${thing} box.`,
    `The ${thing} box was sold to Miss ${buyer}.`,
    `Miss ${buyer} lives in ${answer} now.`,
  ];
  const depths = pickSeveral(random, spreadDepths(random, chain.length), chain.length);
  return {
    hidden: chain.map((text, i) => ({ text, depth: depth ?? depths[i] })),
    asked: [{ question: `In which city is the golden key of Mr ${owner}?`, lead: `The golden key of Mr ${owner} is in`, answer }],
  };
};

const days = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const counts = ['two', 'three', 'four', 'five', 'six'];

/** The same event on several days. */
export const counting: MakeQuiz = ({ random, depth }) => {
  const count = 2 + Math.floor(random() * counts.length);
  const depths = spreadDepths(random, count);
  return {
    hidden: pickSeveral(random, days, count).map((day, i) => ({ text: `On ${day} a white raven landed on the mill.`, depth: depth ?? depths[i] })),
    asked: [{ question: 'On how many days did a white raven land on the mill?', lead: 'A white raven landed on the mill on', answer: `${counts[count - 2]} days` }],
  };
};

/** Four parcels: which came first, which last, in what order. */
export const order: MakeQuiz = ({ random, haystack }) => {
  const parcels = pickSeveral(random, unmentioned(haystack, things, 4), 4);
  const depths = spreadDepths(random, parcels.length);
  return {
    hidden: parcels.map((parcel, i) => ({ text: `Then the courier delivered the ${parcel} parcel.`, depth: depths[i] })),
    asked: [
      { question: 'Which parcel did the courier deliver first?', lead: 'First the courier delivered the', answer: `${parcels[0]} parcel` },
      { question: 'Which parcel did the courier deliver last?', lead: 'Last of all the courier delivered the', answer: `${parcels[3]} parcel` },
      { question: 'In what order did the courier deliver the parcels?', lead: 'The courier delivered the parcels in this order:', answer: parcels.join(', ') },
    ],
  };
};
