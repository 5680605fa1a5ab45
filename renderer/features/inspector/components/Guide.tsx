/** One page: what the views show, and what they do not prove, with examples that are computed here and now. */
import { Fragment } from 'react';
import { Button } from '../../../ui/Button.tsx';
import { Notice } from '../../../ui/Notice.tsx';
import { Spinner } from '../../../ui/Spinner.tsx';
import { useGuideExample } from '../hooks/useGuideExample.ts';
import { inspectorStrings } from '../strings.ts';
import { ExampleRibbon, ExampleSplit, ExampleTrials } from './GuideExamples.tsx';
import { Legend } from './Legend.tsx';

const { title, paragraphs, examples } = inspectorStrings.guide;
/** After which paragraph each example stands. */
const places = [ExampleRibbon, ExampleSplit, null, ExampleTrials];

export function Guide() {
  const { state, example, failure, compute } = useGuideExample();
  return (
    <article className="selectable mx-auto max-w-[44rem]" data-testid="guide">
      <div className="prose">
        <h2>{title}</h2>
      </div>
      {paragraphs.map((paragraph, index) => {
        const Example = places[index];
        return (
          <Fragment key={paragraph}>
            <div className="prose">
              <p>{paragraph}</p>
            </div>
            {index === 0 && !example && (
              <div className="my-3 flex items-center gap-3 rounded-md border border-line bg-raised p-3 text-small">
                {state === 'idle' ? (
                  <Button onClick={compute}>{examples.compute}</Button>
                ) : (
                  <span role="status" className="flex items-center gap-2">
                    <Spinner /> {state === 'answering' ? examples.answering : examples.looking}…
                  </span>
                )}
                <span className="text-quiet">{examples.hint}</span>
              </div>
            )}
            {index === 0 && failure && <Notice tone="danger" className="my-2" message={failure.message} remedy={failure.remedy} />}
            {example && Example && (
              <aside className="my-3 rounded-md border border-line bg-raised p-3 text-small" data-testid="guide-example">
                <Example {...example} />
              </aside>
            )}
          </Fragment>
        );
      })}
      {example && <p className="pb-3 text-small text-faint">{examples.measured}</p>}
      <Legend />
    </article>
  );
}
