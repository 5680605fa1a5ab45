/** Files that come by the mouse or by the clipboard. */
import type { Locator, Page } from '@playwright/test';

/** Files and folders of this machine, dragged over the middle of the window by the browser itself. */
export async function dragFiles(page: Page, files: string[]): Promise<{ drop(): Promise<void>; leave(): Promise<void> }> {
  const session = await page.context().newCDPSession(page);
  const { width, height } = page.viewportSize() ?? { width: 0, height: 0 };
  const inside = { x: width / 2, y: height / 2 };
  const outside = { x: -20, y: -20 };
  const copying = 1;
  const drag = (type: 'dragEnter' | 'dragOver' | 'drop', place: typeof inside) =>
    session.send('Input.dispatchDragEvent', { type, ...place, data: { items: [], files, dragOperationsMask: copying } });
  await drag('dragEnter', inside);
  await drag('dragOver', inside);
  return {
    drop: () => drag('drop', inside).then(() => session.detach()),
    leave: () => drag('dragOver', outside).then(() => session.detach()),
  };
}

/** No page may put a file on the clipboard: the event is made as the browser makes it after a file manager's “Copy”. */
export async function pasteFile(field: Locator, { name, type, content }: { name: string; type: string; content: string }): Promise<void> {
  await field.evaluate(
    (element, file) => {
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File([file.content], file.name, { type: file.type }));
      clipboardData.setData('text/plain', file.name);
      element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
    },
    { name, type, content },
  );
}

export async function pasteText(field: Locator, text: string): Promise<void> {
  await field.page().evaluate((clip) => navigator.clipboard.writeText(clip), text);
  await field.press('ControlOrMeta+v');
}

/** As after a picture of the screen was taken. */
export async function pastePicture(field: Locator): Promise<void> {
  await field.page().evaluate(async () => {
    const canvas = new OffscreenCanvas(8, 8);
    canvas.getContext('2d');
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': await canvas.convertToBlob({ type: 'image/png' }) })]);
  });
  await field.press('ControlOrMeta+v');
}
