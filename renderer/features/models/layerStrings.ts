/** How far back the layers of a model see, in words. */
import { type Translated, localised } from '../../app/language.ts';

const english = {
  title: 'How far back its layers see',
  show: (model: string) => `How far back the layers of ${model} see`,
  one: (number: string) => `Layer ${number}`,
  some: (numbers: string) => `Layers ${numbers}`,
  many: (count: number) => `${count} layers`,
  full: 'every earlier token',
  sliding: (tokens: string) => `the last ${tokens} tokens`,
  linear: (bytes: string, mechanism: string) => `every earlier token, blended into a state of ${bytes} a layer, however long the text (${mechanism})`,
  sparse: (tokens: string, budget: string) => `the last ${tokens} tokens, ${budget} more in the blocks that matter most, and of all blocks their mean`,
  evicting: (tokens: string, budget: string, bytes: string) => `the last ${tokens} tokens, and of the others up to ${budget} that a learned score keeps; what it drops never comes back (${bytes} a layer)`,
  unseen: (layers: string) => `${layers}: not shown, because these layers do not attend to every token one by one.`,
} as const;

export type LayerStrings = Translated<typeof english>;

const german: LayerStrings = {
  title: 'Wie weit seine Schichten zurücksehen',
  show: (model) => `Wie weit die Schichten von ${model} zurücksehen`,
  one: (number) => `Schicht ${number}`,
  some: (numbers) => `Schichten ${numbers}`,
  many: (count) => `${count} Schichten`,
  full: 'jedes frühere Token',
  sliding: (tokens) => `die letzten ${tokens} Token`,
  linear: (bytes, mechanism) => `jedes frühere Token, vermischt in einem Zustand von ${bytes} je Schicht, wie lang der Text auch ist (${mechanism})`,
  sparse: (tokens, budget) => `die letzten ${tokens} Token, ${budget} weitere in den Blöcken, auf die es am meisten ankommt, und von allen Blöcken ihr Mittel`,
  evicting: (tokens, budget, bytes) => `die letzten ${tokens} Token und von den übrigen bis zu ${budget}, die eine gelernte Bewertung behält; was sie weglässt, kommt nicht wieder (${bytes} je Schicht)`,
  unseen: (layers) => `${layers}: nicht gezeigt, weil diese Schichten nicht jedes Token einzeln beachten.`,
};

const japanese: LayerStrings = {
  title: '各層がさかのぼれる範囲',
  show: (model) => `${model} の各層がさかのぼれる範囲`,
  one: (number) => `層 ${number}`,
  some: (numbers) => `層 ${numbers}`,
  many: (count) => `${count} 層`,
  full: 'それまでの全トークン',
  sliding: (tokens) => `直近 ${tokens} トークン`,
  linear: (bytes, mechanism) => `それまでの全トークンを混ぜた状態。文章の長さによらず 1 層 ${bytes}（${mechanism}）`,
  sparse: (tokens, budget) => `直近 ${tokens} トークン、最も重要なブロックのさらに ${budget} トークン、およびすべてのブロックの平均`,
  evicting: (tokens, budget, bytes) => `直近 ${tokens} トークンと、それ以前から学習した評価が残す最大 ${budget} トークン。除外したものは戻りません（1 層 ${bytes}）`,
  unseen: (layers) => `${layers}: 個々のトークンをすべて参照する層ではないため、表示しません。`,
};

export const layerStrings: LayerStrings = localised(english, { de: german, ja: japanese });
