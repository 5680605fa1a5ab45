/** Remembers where the window was, between runs. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type BrowserWindow, screen, type Rectangle } from 'electron';
import * as z from 'zod';

const savedState = z.object({
  x: z.number().int(),
  y: z.number().int(),
  width: z.number().int().min(400),
  height: z.number().int().min(300),
  maximized: z.boolean(),
});
type SavedState = z.infer<typeof savedState>;

const firstSize = { width: 1280, height: 860 };

export interface WindowPlacement {
  bounds: Partial<Rectangle>;
  maximized: boolean;
}

/** The last placement, if it is still on a screen that is there. */
export function recallPlacement(file: string): WindowPlacement {
  const saved = readState(file);
  if (!saved) return { bounds: firstSize, maximized: false };
  const { maximized, ...bounds } = saved;
  const visible = screen.getAllDisplays().some(({ workArea }) => overlaps(workArea, bounds));
  return visible ? { bounds, maximized } : { bounds: { width: bounds.width, height: bounds.height }, maximized };
}

/** Writes the placement down when the window closes. */
export function rememberPlacement(window: BrowserWindow, file: string): void {
  window.on('close', () => {
    const state: SavedState = { ...window.getNormalBounds(), maximized: window.isMaximized() };
    try {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, JSON.stringify(state));
    } catch (error) {
      // A window that opens elsewhere next time is no reason to hold up closing this one.
      console.error('The window’s place could not be saved:', error);
    }
  });
}

function readState(file: string): SavedState | undefined {
  try {
    return savedState.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

function overlaps(area: Rectangle, bounds: Rectangle): boolean {
  return (
    bounds.x < area.x + area.width &&
    area.x < bounds.x + bounds.width &&
    bounds.y < area.y + area.height &&
    area.y < bounds.y + bounds.height
  );
}
