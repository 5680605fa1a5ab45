import { actions } from './actions.ts';

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName));
}

/**
 * Performs the action whose keys are pressed, unless something on the screen has used them already. From before anything
 * is drawn: a person who presses keys while the window opens does not press them again.
 */
export function listenForShortcuts(): void {
  window.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.repeat || event.isComposing) return;
    const action = actions.forPress(event, isTyping(event.target));
    if (!action) return;
    event.preventDefault();
    action.perform();
  });
}
