import { expect, type Locator, type Page } from '@playwright/test';

export type AnswerState = 'complete' | 'streaming' | 'stopped' | 'failed' | 'interrupted';

export class ChatPage {
  readonly composer: Locator;
  readonly stop: Locator;
  readonly attach: Locator;
  readonly documents: Locator;
  readonly preview: Locator;
  readonly contextBar: Locator;
  readonly questions: Locator;
  readonly answers: Locator;
  readonly conversations: Locator;
  readonly workerState: Locator;
  /** Where an answer is that has no words yet: loading, reading. */
  readonly phase: Locator;
  readonly loadedModel: Locator;
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
    this.composer = page.getByRole('textbox', { name: 'Question', exact: true });
    this.stop = page.getByRole('button', { name: 'Stop', exact: true }).last();
    this.attach = page.getByRole('button', { name: 'Attach documents' });
    this.documents = page.getByTestId('document');
    this.preview = page.getByTestId('preview');
    this.contextBar = page.getByTestId('context-bar');
    this.questions = page.getByTestId('question');
    this.answers = page.getByTestId('answer');
    this.conversations = page.getByRole('list', { name: 'Conversations' }).getByRole('listitem');
    this.phase = page.getByTestId('answer-phase');
    this.loadedModel = page.getByTestId('loaded-model');
    this.workerState = page.getByTestId('worker-state');
  }

  /** Asks, and waits until the answer has its place, so that `lastAnswer` is the one to this question. */
  async ask(question: string): Promise<void> {
    const answers = await this.answers.count();
    await this.composer.fill(question);
    await this.composer.press('Enter');
    await expect(this.answers).toHaveCount(answers + 1, { timeout: 30_000 });
  }

  /** Stops the answer the moment the page shows this phase, which may be over before a test looks again. */
  async stopOnceIn(phase: 'loading' | 'reading'): Promise<void> {
    await this.#page.evaluate(
      (selector) =>
        new Promise<void>((resolve) => {
          const look = () => {
            const stop = document.querySelector<HTMLButtonElement>(selector);
            if (!stop) return;
            observer.disconnect();
            stop.click();
            resolve();
          };
          const observer = new MutationObserver(look);
          observer.observe(document.body, { subtree: true, childList: true, attributes: true });
          look();
        }),
      `[data-testid="answer-phase"][data-phase="${phase}"] button`,
    );
  }

  /** The last answer, if it is in this state. */
  lastAnswer(state: AnswerState): Locator {
    return this.answers.last().and(this.#page.locator(`[data-state="${state}"]`));
  }

  /** What the last answer says. */
  get lastText(): Locator {
    return this.answers.last().locator('.prose');
  }

  async edit(question: Locator, text: string, beforeSending: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    const answers = await this.answers.count();
    await question.hover();
    await question.getByRole('button', { name: 'Edit and resend' }).click();
    const editor = question.getByRole('textbox', { name: 'Edit the question' });
    await editor.fill(text);
    await beforeSending();
    await editor.press('Enter');
    await expect(question).toContainText(text);
    await expect(this.answers).toHaveCount(answers, { timeout: 30_000 });
  }

  async setLongestAnswer(tokens: number): Promise<void> {
    await this.#page.getByRole('button', { name: 'Settings of this chat' }).click();
    const field = this.#page.getByRole('spinbutton', { name: 'Longest answer' });
    await field.fill(String(tokens));
    await field.press('Enter');
    await this.#page.keyboard.press('Escape');
    await this.composer.focus();
  }

  /** “2/3” beside a question or an answer that has alternatives. */
  alternative(message: Locator): Locator {
    return message.getByTestId('alternative-position');
  }
}
