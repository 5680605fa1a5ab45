/** ネットワークの言葉（日本語）。 */
import type { NetworkStrings } from './networkStrings.ts';

export const japanese: NetworkStrings = {
  title: 'ネットワーク',
  hint: 'ハブの検索とモデルのダウンロードのためのものです。ほかにネットワークを使うのは、アップデートを確認するときだけです。',
  limit: 'ダウンロード速度の上限',
  limitHint: '全ダウンロード合計の毎秒メガバイトです。空欄なら制限しません。',
  none: 'なし',
  unit: 'MB/秒',
  proxy: 'プロキシ',
  proxyHint: '空欄：システムの変数 HTTPS_PROXY と HTTP_PROXY に従います。',
};
