/** リーダーの言葉（日本語）。 */
import type { PageUnit } from '../../../host/contract/documentModel.ts';
import type { ReaderStrings } from './strings.ts';

const units: Record<PageUnit, string> = { page: 'ページ', chapter: '章', sheet: 'シート', slide: 'スライド', file: 'ファイル', part: '部分' };

export const japanese: ReaderStrings = {
  label: (name) => `${name} の本文`,
  subtitle: '取り出した本文です。モデルが読むものそのものです。',
  pagesSubtitle: 'ページそのままの表示です。「本文」ではモデルが読むものそのものを表示します。',
  extracted: '取り出した本文',
  pagesOf: (name) => `${name} のページ`,
  characters: '文字数',
  tokens: 'トークン',
  readingTime: '読む時間',
  size: '本文',
  keptOnDisk: 'ディスク上',
  keptHint: (document, memory) => (memory === null ? `文書：${document}。` : `文書：${document}。読んだ後にモデルが保持する分：約 ${memory}。`),
  aboutKept: (document, memory) => `${document} + 読んだ後 約 ${memory}`,
  counting: '数えています…',
  noModel: '数えるにはモデルを選んでください',
  unknownSpeed: '最初に読んだ後にわかります',
  close: 'プレビューを閉じる',
  widen: '広く',
  narrow: '狭く',
  contents: '目次',
  find: '文書内を検索',
  findShort: '検索',
  nextMatch: '次へ',
  previousMatch: '前へ',
  noMatch: '見つかりません',
  matchOf: (match, count, more) => `${count}${more ? '+' : ''} 件中 ${match}`,
  views: '表示方法',
  view: { pages: 'ページ', text: '本文' },
  unit: (unit) => units[unit],
  unitsOf: (unit) => units[unit],
  goTo: (unit) => `${units[unit]}へ移動`,
  of: (count) => `/ ${count}`,
  pageLabel: (unit, label) => (unit === 'page' || unit === 'slide' ? `${units[unit]} ${label}` : label),
  failed: { message: 'このページを描画できませんでした。', remedy: '「本文」を選ぶと読めます。' },
};
