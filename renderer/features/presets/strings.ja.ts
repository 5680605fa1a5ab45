/** プリセットの言葉（日本語）。 */
import type { PresetsStrings } from './strings.ts';

export const japanese: PresetsStrings = {
  title: 'プリセット',
  hint: '名前を付けたシステムプロンプトです。サンプリングも含められます。チャットの設定から取り込みます。',
  none: 'プリセットはまだありません。',
  add: '新しいプリセット',
  edit: (name) => `${name} を編集`,
  remove: (name) => `${name} を削除`,
  removed: (name) => `「${name}」を削除しました。`,
  import: '読み込む',
  export: '書き出す',
  imported: 'プリセットを読み込みました。',
  name: '名前',
  systemPrompt: 'システムプロンプト',
  withSampling: '新しいチャットのサンプリングを含める',
  withSamplingHint: '今の温度などの値です。オフならチャットのサンプリングはそのままです。',
  save: '保存',
  choose: 'プリセット',
  chooseNone: 'なし',
  saveAs: 'プリセットとして保存',
  nameOf: (title) => `${title} のプリセット`,
};
