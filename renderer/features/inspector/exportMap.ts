/** Files of what is shown: a picture, a drawing with its words, a table, the view itself. */
import type { AnswerEvidence } from '../../../host/contract/inspection.ts';
import type { MapView } from './drawMap.ts';
import type { RankedPassage } from './profile.ts';

export function saveFile(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function savePicture(canvas: HTMLCanvasElement): void {
  canvas.toBlob((blob) => blob && saveFile(blob, 'attention.png'), 'image/png');
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** The picture with the answer's tokens beside it and the positions below. */
export function saveVector(canvas: HTMLCanvasElement, { view, evidence, answer }: { view: MapView; evidence: AnswerEvidence; answer: string }): void {
  const { width, height, fromKey, toKey, rows } = view;
  const left = 120;
  const lineHeight = height / rows;
  const every = Math.max(1, Math.ceil(11 / lineHeight));
  const tokens = evidence.tokens
    .map(({ start, end }, row) => ({ row, spelled: answer.slice(start, end).trim() }))
    .filter(({ row }) => row % every === 0)
    .map(({ row, spelled }) => `<text x="${left - 6}" y="${(row + 0.7) * lineHeight}" text-anchor="end">${escaped(spelled)}</text>`);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => `<text x="${left + share * width}" y="${height + 14}" text-anchor="middle">${Math.round(fromKey + share * (toKey - fromKey))}</text>`);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${left + width}" height="${height + 22}" font-family="sans-serif" font-size="10"><image x="${left}" width="${width}" height="${height}" preserveAspectRatio="none" href="${canvas.toDataURL('image/png')}"/>${tokens.join('')}${ticks.join('')}</svg>`;
  saveFile(new Blob([svg], { type: 'image/svg+xml' }), 'attention.svg');
}

export function passagesTable(passages: readonly (RankedPassage & { text: string })[]): string {
  const cell = (value: string | number): string => `"${String(value).replaceAll('"', '""')}"`;
  const lines = passages.map(({ name, start, end, share, text }) => [name, start, end, share.toFixed(6), text].map(cell).join(','));
  return ['document,start,end,share,text', ...lines].join('\r\n');
}
