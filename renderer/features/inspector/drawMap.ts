/** Draws the tiles that are there; where one is missing, a coarser one stands in. */
import { brightness, difference, viridis } from './colours.ts';
import type { TileSource } from './differenceTiles.ts';
import { type MapTile, placesFor, tileColumns, tileRows } from './mapTiles.ts';

export interface MapView {
  width: number;
  height: number;
  fromKey: number;
  toKey: number;
  rows: number;
  level: number;
  reducer: 'sum' | 'peak';
  /** From this row on two compared answers say different things. */
  divergesAt?: number;
}

const pictures = new WeakMap<MapTile, Map<string, OffscreenCanvas>>();
/** Levels above the wanted one that are tried in its place. */
const standIns = 6;

export function drawMap(canvas: HTMLCanvasElement, view: MapView, tiles: Pick<TileSource, 'find'>, cross: { row: number; key: number } | null): void {
  const ratio = window.devicePixelRatio;
  const [width, height] = [Math.round(view.width * ratio), Math.round(view.height * ratio)];
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext('2d');
  if (!context) return;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.imageSmoothingEnabled = false;
  context.clearRect(0, 0, view.width, view.height);
  for (let level = view.level + standIns; level >= view.level; level--) {
    for (const place of placesFor(level, view, view.rows)) {
      const tile = tiles.find(place);
      if (tile) drawTile(context, view, tile);
    }
  }
  if (view.divergesAt !== undefined && view.divergesAt < view.rows) drawDivergence(context, view, view.divergesAt);
  if (cross) drawCross(context, view, cross);
}

function drawDivergence(context: CanvasRenderingContext2D, view: MapView, row: number): void {
  const y = (row / view.rows) * view.height;
  context.strokeStyle = 'rgb(60 60 60)';
  context.lineWidth = 1.5;
  context.setLineDash([6, 4]);
  context.beginPath();
  context.moveTo(0, y);
  context.lineTo(view.width, y);
  context.stroke();
  context.setLineDash([]);
}

function drawTile(context: CanvasRenderingContext2D, view: MapView, tile: MapTile): void {
  const tokens = 2 ** tile.level;
  const pixels = view.width / (view.toKey - view.fromKey);
  const rowPixels = view.height / view.rows;
  const x = (tile.x * tileColumns * tokens - view.fromKey) * pixels;
  context.drawImage(pictureOf(tile, view.reducer), x, tile.y * tileRows * rowPixels, tile.columns * tokens * pixels, tile.rows * rowPixels);
}

function pictureOf(tile: MapTile, reducer: 'sum' | 'peak'): OffscreenCanvas {
  const known = pictures.get(tile) ?? new Map<string, OffscreenCanvas>();
  pictures.set(tile, known);
  const before = known.get(reducer);
  if (before) return before;
  const picture = new OffscreenCanvas(tile.columns, tile.rows);
  const image = new ImageData(tile.columns, tile.rows);
  for (let cell = 0; cell < tile.rows * tile.columns; cell++) {
    const weight = reducer === 'sum' ? tile.sums[cell] / tile.heads : tile.peaks[cell];
    const colour = tile.signed ? difference(Math.sign(weight) * brightness(Math.abs(weight))) : viridis(brightness(weight));
    image.data.set([...colour, 255], 4 * cell);
  }
  picture.getContext('2d')?.putImageData(image, 0, 0);
  known.set(reducer, picture);
  return picture;
}

function drawCross(context: CanvasRenderingContext2D, view: MapView, { row, key }: { row: number; key: number }): void {
  const x = ((key + 0.5 - view.fromKey) / (view.toKey - view.fromKey)) * view.width;
  const y = ((row + 0.5) / view.rows) * view.height;
  for (const [style, lineWidth] of [['rgb(0 0 0 / 0.6)', 3], ['rgb(255 255 255 / 0.9)', 1]] as const) {
    context.strokeStyle = style;
    context.lineWidth = lineWidth;
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, view.height);
    context.moveTo(0, y);
    context.lineTo(view.width, y);
    context.stroke();
  }
}
