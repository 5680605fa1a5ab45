/** The guide's examples, each computed on the answer to the sample question. */
import { useEffect, useState } from 'react';
import { host } from '../../../app/connection/session.ts';
import { failureOf } from '../../../app/failures.ts';
import { said } from '../../../app/said/said.ts';
import { Spinner } from '../../../ui/Spinner.tsx';
import type { GuideExample } from '../hooks/useGuideExample.ts';
import { useFinePassages } from '../hooks/useFinePassages.ts';
import type { RankedPassage } from '../profile.ts';
import { inspectorStrings } from '../strings.ts';
import { Excerpt } from './Excerpt.tsx';
import { Ribbons } from './Ribbons.tsx';
import { ZoneSplit } from './ZoneSplit.tsx';

const text = inspectorStrings.guide.examples;

/** What was asked, and the brightest sentence. */
export function ExampleRibbon({ answer, question, evidence }: GuideExample) {
  const [best] = useFinePassages(answer.id, evidence, null, 'sentence').passages ?? [];
  return (
    <>
      <dl className="grid grid-cols-[auto_1fr] gap-x-3 pb-2">
        <dt className="text-faint">{text.asked}</dt>
        <dd>{question}</dd>
        <dt className="text-faint">{text.answered}</dt>
        <dd>{answer.text}</dd>
      </dl>
      <Ribbons evidence={evidence} answer={answer.text} />
      <p className="text-quiet">
        {text.ribbon} {best ? <Excerpt {...best} /> : <Spinner />}
      </p>
    </>
  );
}

export function ExampleSplit({ evidence }: GuideExample) {
  return <ZoneSplit evidence={evidence} token={null} />;
}

interface Trial {
  passage: RankedPassage;
  nats: number;
}

/** The sentence with the most attention, and another one: looked at is not needed. */
export function ExampleTrials({ answer, evidence }: GuideExample) {
  const { passages } = useFinePassages(answer.id, evidence, null, 'sentence');
  const [trials, setTrials] = useState<Trial[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    if (!passages) return undefined;
    let wanted = true;
    const attempt = async (): Promise<void> => {
      const tried: Trial[] = [];
      for (const passage of passages.slice(0, 2)) {
        const { documentId, start, end } = passage;
        const { before, after } = await host.call('inspector.ablate', { messageId: answer.id, documentId, start, end });
        tried.push({ passage, nats: before.reduce((sum, logprob, i) => sum + logprob - after[i], 0) });
        if (wanted) setTrials([...tried]);
      }
    };
    attempt().catch((error: unknown) => wanted && setProblem(said(failureOf(error).message)));
    return () => {
      wanted = false;
    };
  }, [passages, answer.id]);
  return (
    <>
      <p className="pb-1 text-quiet">{text.trials}</p>
      {problem !== null ? <p role="status">{problem}</p> : trials.length < 2 && <Spinner />}
      <ul className="list-disc pl-5">
        {trials.map(({ passage, nats }) => (
          <li key={passage.start} className="py-0.5">
            <Excerpt {...passage} /> {text.looked(inspectorStrings.percent(passage.share), nats.toFixed(1))}
          </li>
        ))}
      </ul>
    </>
  );
}
