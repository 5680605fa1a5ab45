/** Draws a page of a PDF on a canvas, and lays its text over it. */
import type { RenderTask } from 'pdfjs-dist';
import type { OpenPdf } from './openPdf.ts';

export interface Drawing {
  done: Promise<void>;
  readonly cancelled: boolean;
  cancel(): void;
}

/** Sharper than this is not seen, and costs memory. */
const mostPixelRatio = 2;

/** @param scale CSS pixels a point */
export function drawPage({ library, pdf }: OpenPdf, number: number, scale: number, canvas: HTMLCanvasElement, layer: HTMLDivElement): Drawing {
  let cancelled = false;
  let rendering: RenderTask | undefined;
  let texts: InstanceType<typeof library.TextLayer> | undefined;
  const draw = async () => {
    const page = await pdf.getPage(number);
    if (cancelled) return;
    const ratio = Math.min(mostPixelRatio, window.devicePixelRatio || 1);
    const viewport = page.getViewport({ scale: scale * ratio });
    canvas.width = Math.floor(viewport.width);
    canvas.height = Math.floor(viewport.height);
    rendering = page.render({ canvas, viewport });
    layer.replaceChildren();
    layer.style.setProperty('--total-scale-factor', String(scale));
    texts = new library.TextLayer({ textContentSource: page.streamTextContent(), container: layer, viewport: page.getViewport({ scale }) });
    await Promise.all([rendering.promise, texts.render()]);
  };
  return {
    done: draw(),
    get cancelled() {
      return cancelled;
    },
    cancel: () => {
      cancelled = true;
      rendering?.cancel();
      texts?.cancel();
    },
  };
}
