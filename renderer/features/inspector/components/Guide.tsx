/** One page: what the views show, and what they do not prove. */
import { inspectorStrings } from '../strings.ts';
import { Legend } from './Legend.tsx';

const { title, paragraphs } = inspectorStrings.guide;

export function Guide() {
  return (
    <article className="prose selectable mx-auto max-w-[44rem]" data-testid="guide">
      <h2>{title}</h2>
      {paragraphs.map((paragraph) => (
        <p key={paragraph}>{paragraph}</p>
      ))}
      <Legend />
    </article>
  );
}
