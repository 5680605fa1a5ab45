/** 保存容量の言葉（日本語）。 */
import type { StorageStrings } from './strings.ts';

export const japanese: StorageStrings = {
  title: '保存容量',
  lead: 'Longleaf が保存しているすべてのものと、その場所です。',
  total: (bytes) => `合計 ${bytes}`,
  free: (bytes) => `このディスクの空き ${bytes}`,
  share: '内訳',
  kinds: { models: 'モデル', downloads: '途中のダウンロード', memories: '読書記録', documents: '文書', chats: 'チャット', backups: 'バックアップ', linkedModels: 'ほかの場所のモデル' },
  hints: {
    models: 'データフォルダー、またはあなたのフォルダーにダウンロードしたファイルです。',
    downloads: '完成するか破棄されるまで保存される、ファイルの一部です。',
    memories: 'モデルが文書を読んだ結果です。',
    documents: '本文と、追加したときのファイルです。',
    chats: '質問、回答、設定、検索の索引です。文章は小さく、拒否されないので、上限はありません。',
    backups: 'データベースの形が変わる前に作られるチャットのコピーです。',
    linkedModels: '元の場所のまま使われ、Longleaf は削除しません。',
  },
  limit: (kind) => `${kind}の上限`,
  none: 'なし',
  unit: 'GB',
  limits: '上限',
  limitsHint: 'ギガバイト単位です。空欄ならディスクの空きまで使います。下げても何も削除されず、上限を超えるものは拒否され、その旨が表示されます。',
  show: (kind) => `${kind}を表示`,
  open: '表示',
  folder: 'データフォルダー',
};
