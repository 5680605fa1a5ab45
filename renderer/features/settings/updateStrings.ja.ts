/** 新しいバージョンについての日本語の文言。 */
import type { UpdateStrings } from './updateStrings.ts';

export const japanese: UpdateStrings = {
  title: 'アップデート',
  label: '新しいバージョン',
  off: 'このコピーにはアップデートの取得先がありません。問い合わせることはありません。',
  unasked: 'ボタンを押したときだけ問い合わせます。',
  check: '確認する',
  current: (version) => `Longleaf ${version} は最新です。`,
  available: (version, size) => `バージョン ${version} があります（${size}）。`,
  fetch: 'ダウンロード',
  fetched: (version, path) => `バージョン ${version} をダウンロードし、検証しました：${path}。チャットはバックアップされました。Longleaf を終了し、このファイルを開いてください。`,
};
