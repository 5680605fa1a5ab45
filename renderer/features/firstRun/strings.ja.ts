/** 初回起動の言葉（日本語）。 */
import type { FirstRunStrings } from './strings.ts';

export const japanese: FirstRunStrings = {
  title: '本を丸ごと読み、質問する。',
  lead: 'Longleaf はこのマシン上の言語モデルで文書を読みます。読むものも質問も外に出ません。',
  machine: {
    title: 'このマシンでできること',
    checking: 'グラフィックスアダプターを探しています…',
    gpu: (name) => `回答はグラフィックスプロセッサー ${name} で計算されます。`,
    software: () => '使えるグラフィックスプロセッサーが見つからないため、ソフトウェアアダプターがプロセッサーで計算します。動きますが、遅くなります。',
    failed: 'アダプターを起動できませんでした。',
    adapter: 'アダプター',
    processor: 'プロセッサー',
    memory: 'メモリ',
    memoryValue: (total, free) => `${total}、空き ${free}`,
    disk: 'ディスク',
    diskValue: (free) => `空き ${free}`,
  },
  model: {
    title: '最初のモデル',
    text: '言語モデルは一つのファイルです。一度ダウンロードして確認し、このマシンに保存します。',
    byHand: 'GGUF ファイルをすでにお持ちですか？',
    notEnoughDisk: (need, free) => `ファイルには ${need} 必要ですが、ディスクの空きは ${free} です。`,
  },
  ready: (name) => `${name} の準備ができました。`,
  start: '読み始める',
  skip: 'モデルなしで続ける',
};
