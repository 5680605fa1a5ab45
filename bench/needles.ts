/** Sentences to hide in a book, from a dry code to something that a story could tell. */
const names = ['Casaubon', 'Lydgate', 'Bulstrode', 'Ladislaw', 'Featherstone', 'Garth', 'Brooke', 'Vincy', 'Farebrother', 'Raffles'];
const cities = ['Lisbon', 'Toronto', 'Nairobi', 'Osaka', 'Bergen', 'Havana', 'Cairo', 'Perth', 'Quito', 'Madras'];
const words = ['lantern', 'marble', 'walnut', 'copper', 'thistle', 'anchor', 'velvet', 'pepper', 'falcon', 'quartz'];

/** A sentence to hide, what to ask for it, how a raw prompt's answer begins, and what must be in the answer. */
export interface Needle {
  sentence: string;
  question: string;
  lead: string;
  answer: string;
}

export const needles: Record<string, (index: number, random: () => number) => Needle> = {
  code: (index, random) => {
    const answer = String(10_000 + Math.floor(random() * 90_000));
    const name = names[index % names.length];
    return { sentence: `The secret code of Mr ${name} is ${answer}.`, question: `What is the secret code of Mr ${name}?`, lead: `The secret code of Mr ${name} is`, answer };
  },
  number: (index, random) => {
    const answer = String(1_000_000 + Math.floor(random() * 9_000_000));
    const city = cities[index % cities.length];
    return {
      sentence: `The special magic number for ${city} is: ${answer}.`,
      question: `What is the special magic number for ${city} mentioned in the document?`,
      lead: `The special magic number for ${city} mentioned in the document is`,
      answer,
    };
  },
  password: (_index, random) => {
    const answer = words[Math.floor(random() * words.length)];
    return { sentence: `The password to the library is ${answer}.`, question: 'What is the password to the library?', lead: 'The password to the library is', answer };
  },
  parcel: (index, random) => {
    const answer = cities[Math.floor(random() * cities.length)];
    const name = names[index % names.length];
    return {
      sentence: `That winter Mr ${name} sold his house and moved to ${answer} to open a bakery.`,
      question: `Where did Mr ${name} move to open a bakery?`,
      lead: `Mr ${name} moved to`,
      answer,
    };
  },
};
