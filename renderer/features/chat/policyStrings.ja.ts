/** 方式の言葉（日本語）。 */
import type { PolicyPickerStrings, PolicyStrings } from './policyStrings.ts';

export const japanesePolicies: PolicyStrings = {
  sketch: { name: 'スケッチ', line: '小さな索引で重要なものを探し、残りを推定します。どの長さでも速いです。' },
  clusters: { name: 'クラスター', line: '最良のクラスターは正確に、残りは推定します。速いですが、一つのトークンを見落とすことがあります。' },
  graph: { name: 'グラフ', line: 'グラフで重要なものを探し、残りを除外します。作るのに時間とメモリがかかります。' },
  quest: { name: 'Quest', line: '上界が最良のページは正確に、残りは除外します。速いですが粗いです。' },
  window: { name: 'ウィンドウ', line: '最初と最新のトークンだけです。最速ですが、中間は除外されます。' },
  full: { name: '全部', line: 'すべてのトークンを正確に参照します。書くたびに全部を取得するので遅いです。' },
  flat: { name: 'フラット', line: '全トークンを採点し、最良以外を除外します。「全部」と同じく遅く、比較用です。' },
};

export const japanesePolicyPicker: PolicyPickerStrings = {
  label: 'GPU の外',
  choose: 'GPU の外にあるものを参照する方式',
  hint: 'チャットが、設定にある GPU のキーと値の容量を超えたときにだけ関係します。グラフと Quest はモデルを読み込み直します。',
  defaultName: '既定（スケッチ、2 %）',
  budget: '予算',
  budgetHint: 'GPU の外のトークンのうち、一度に正確に参照する数です。',
  misses: '選ばれたが GPU にないもの',
  missesHints: {
    strict: 'トークンごとに待ちます。正確ですが、足りないものが多いと遅くなります。',
    lagged: '速くなりますが、完全な参照からは離れます。回答の最初の数トークンの後は、今は推定または除外し、間に合わなかったものとして数え、次のトークンで使えます。',
    rolling: '最も速い方式ですが、完全な参照からは離れます。回答の最初の数トークンの後は、GPU にあるものをすべて参照し、何を GPU に置くかは層が順番に選びます。',
  },
  missNames: { strict: '待つ', lagged: '進む', rolling: '順番' },
  turn: '層の順番が来る間隔',
  turnHint: 'トークン数です。少ないほど完全な参照に近く、多いほど速くなります。',
  units: { share: 'パーセント', tokens: 'トークン' },
};
