/** The path of a file that was dropped: `webUtils.getPathForFile` came with Electron 29, `File.path` went with 32. */
import * as electron from 'electron';

export function droppedFilePath(file: File): string {
  const webUtils = electron.webUtils as typeof electron.webUtils | undefined;
  return webUtils ? webUtils.getPathForFile(file) : ((file as File & { path?: string }).path ?? '');
}
