/** データフォルダーの移動に関する日本語の文言。 */
import type { DataFolderStrings } from './strings.ts';

export const japanese: DataFolderStrings = {
  move: '移動…',
  title: 'データフォルダーを移動',
  lead: 'モデル、文書、読んだ内容、チャットを別のフォルダーやドライブに移します。すべてをコピーし、読み直して確かめてから、元のフォルダーを削除します。',
  path: 'フォルダー',
  pathHint: '空のフォルダー、またはまだないフォルダーを完全なパスで。ほかのものがある場合は、その中に「Longleaf」フォルダーを作ります。',
  check: '確認',
  choose: 'フォルダーを選ぶ…',
  from: '移動元',
  to: '移動先',
  takes: '大きさ',
  free: (bytes) => `移動先の空き ${bytes}`,
  sameDrive: '同じドライブなので、コピーは不要です。',
  jobs: (count) => `${count} 件の処理が進行中です。停止し、移動が終わると再開します。`,
  begin: '移動',
  stopAndBegin: '停止して移動',
  moving: 'データフォルダーを移動しています',
  movingHint: '終わると Longleaf は自動的に開き直されます。それまではすべて元の場所にあります。',
  phases: { stopping: '進行中の処理を停止しています…', copying: 'コピーして確認しています…', opening: '開いています…' },
  progress: (done, total) => `${done} / ${total}`,
  stop: '中止して元のままにする',
  moved: (path) => `データフォルダーは ${path} になりました。`,
  unfinished: (path) => `${path} への移動が中断されました。すべては元の場所にあります。`,
  resume: '続ける',
  undo: 'コピーを削除',
};
