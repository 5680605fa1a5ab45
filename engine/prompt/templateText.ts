import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { strftime } from './strftime.ts';

/** The longest template that is run, in UTF-16 units; the longest seen in models is about 20,000. */
export const templateLimit = 256 * 1024;
/** The longest text that a template may write, in UTF-16 units, documents not counted. */
export const outputLimit = 1024 * 1024;
const rangeLimit = 100_000;

/**
 * The date that templates are told, unless the context names one: some write it in front of the
 * documents, and a date that changes would make every book be read anew each day.
 */
const fixedDate = '2024-07-26T00:00:00Z';

/**
 * Renders a chat template. `context` is plain data, as `structuredClone` takes it; its `now`, an ISO
 * date, is what the template gets for the time. A template is a foreign program that may not end:
 * call this in a thread with limits of time and memory.
 *
 * Throws an Error, with what went wrong as its message, when the template fails or a limit is passed.
 */
export function renderTemplateText(template: string, context: unknown): string {
  if (template.length > templateLimit) {
    throw new Error(`it is ${template.length} characters long; the limit is ${templateLimit}`);
  }
  const values = context as Readonly<Record<string, unknown>>;
  const now = new Date(typeof values.now === 'string' ? values.now : fixedDate);
  const environment = new Environment();
  for (const [name, value] of Object.entries({ ...globals(now), ...values })) environment.set(name, value);
  const program = parse(tokenize(withoutGenerationMarks(template), { lstrip_blocks: true, trim_blocks: true }));
  const text = String(new Interpreter(environment).run(program).value);
  checkOutput(text);
  return text;
}

/** Throws an Error when a template wrote more than the limit. */
export function checkOutput(text: string): void {
  if (text.length > outputLimit) throw new Error(`it wrote ${text.length} characters; the limit is ${outputLimit}`);
}

/** `{% generation %}` marks the answer for training; it changes nothing here, and the parser lacks it. */
function withoutGenerationMarks(template: string): string {
  return template
    .replace(/(\{%[-+]?\s*)generation(\s*[-+]?%\})/gu, '$1if true$2')
    .replace(/(\{%[-+]?\s*)endgeneration(\s*[-+]?%\})/gu, '$1endif$2');
}

/** What templates find defined: the constants of Jinja and Python, and the functions of chat templates. */
function globals(now: Date): Record<string, unknown> {
  return {
    true: true,
    false: false,
    none: null,
    True: true,
    False: false,
    None: null,
    range,
    strftime_now: (format: string) => strftime(now, format),
    raise_exception: (message: string) => {
      throw new Error(message);
    },
  };
}

/** Python's `range`. */
function range(first: number, stop?: number, step = 1): number[] {
  const [start, end] = stop === undefined ? [0, first] : [first, stop];
  const count = Math.ceil((end - start) / step);
  if (!(count <= rangeLimit)) throw new Error(`it asks for a range of ${count} numbers; the limit is ${rangeLimit}`);
  return Array.from({ length: Math.max(count, 0) }, (_, index) => start + index * step);
}
