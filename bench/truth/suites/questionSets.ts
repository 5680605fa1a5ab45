/** Question sets hidden in a novel: paragraphs of SQuAD's form, and bAbI stories whose facts are spread out. */
import { type MakeQuiz, pick, pickSeveral, type QuestionSets, spreadDepths } from '../quiz.ts';

const questionsPerParagraph = 3;

export const squad: MakeQuiz = ({ random, depth, questions }) => {
  const { text, asked } = pick(random, questions.paragraphs);
  return {
    hidden: [{ text, depth: depth ?? random() }],
    asked: pickSeveral(random, asked, questionsPerParagraph).map(({ question, answer }) => ({ question, lead: 'The answer is:', answer })),
  };
};

/** The facts keep their order, because the last ones decide. */
export const babi: MakeQuiz = ({ random, questions }) => {
  const { facts, question, answer } = pick(random, questions.stories);
  const depths = spreadDepths(random, facts.length);
  return { hidden: facts.map((text, i) => ({ text, depth: depths[i] })), asked: [{ question, lead: 'The answer is:', answer }] };
};

/** A file of SQuAD's form (also XQuAD's). Questions without an answer are left out, and paragraphs without a question. */
export function parseParagraphs(json: string): QuestionSets['paragraphs'] {
  const { data } = JSON.parse(json) as { data: { paragraphs: { context: string; qas: { question: string; answers: { text: string }[] }[] }[] }[] };
  return data
    .flatMap(({ paragraphs }) => paragraphs)
    .map(({ context, qas }) => ({ text: context, asked: qas.filter(({ answers }) => answers.length > 0).map(({ question, answers }) => ({ question, answer: answers[0].text })) }))
    .filter(({ asked }) => asked.length > 0);
}

/** A bAbI task file: numbered lines, numbers start again with each story; one entry for each question. */
export function parseStories(text: string): QuestionSets['stories'] {
  const stories: { facts: string[]; question: string; answer: string }[] = [];
  let facts: string[] = [];
  for (const line of text.split('\n')) {
    const match = /^(\d+) (.*)$/.exec(line.trim());
    if (!match) continue;
    if (match[1] === '1') facts = [];
    const [content, answer] = match[2].split(/[\t|]/);
    if (answer === undefined) facts.push(content.trim());
    else stories.push({ facts: [...facts], question: content.trim(), answer: answer.trim() });
  }
  return stories;
}
