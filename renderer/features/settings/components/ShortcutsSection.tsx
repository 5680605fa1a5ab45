/** The keys of every command: shown, changed by pressing others, taken away, given back. */
import { type KeyboardEvent, useState } from 'react';
import type { Settings } from '../../../../host/contract/entities.ts';
import { actions } from '../../../app/actions/actions.ts';
import { keysOfPress, keysToText } from '../../../app/actions/chosenKeys.ts';
import { isMac, writeKeys } from '../../../app/actions/keys.ts';
import type { Action } from '../../../app/actions/registry.ts';
import { strings } from '../../../app/strings.ts';
import { Button } from '../../../ui/Button.tsx';
import { settingsStrings } from '../strings.ts';
import { SettingSection } from './SettingRow.tsx';

const text = settingsStrings.shortcuts;

export function ShortcutsSection({ settings: { shortcuts }, change }: { settings: Settings; change(part: Partial<Settings>): void }) {
  const [changing, setChanging] = useState<string | null>(null);
  const [refusal, setRefusal] = useState<string | null>(null);
  const set = (id: string, keys: string | null) => {
    setChanging(null);
    setRefusal(null);
    change({ shortcuts: { ...shortcuts, [id]: keys } });
  };
  const restore = (id: string) => {
    const { [id]: _own, ...rest } = shortcuts;
    change({ shortcuts: rest });
  };
  const onPress = (action: Action, event: KeyboardEvent) => {
    event.preventDefault();
    event.stopPropagation();
    if (event.key === 'Escape') return setChanging(null);
    const keys = keysOfPress(event, isMac());
    if (!keys) {
      if (!['Control', 'Meta', 'Shift', 'Alt'].includes(event.key)) setRefusal(text.notPossible);
      return;
    }
    const other = actions.withKeys(keys);
    if (other && other.id !== action.id) return setRefusal(text.taken(writeKeys(keys), other.label));
    set(action.id, keysToText(keys));
  };
  return (
    <SettingSection title={text.title} hint={text.hint} tools={<Button disabled={Object.keys(shortcuts).length === 0} onClick={() => change({ shortcuts: {} })}>{text.restoreAll}</Button>}>
      {actions.all().map((action) => (
        <div key={action.id} className="flex min-h-9 flex-wrap items-center gap-x-3 py-1" data-testid="shortcut" data-action={action.id}>
          <span className="min-w-48 flex-1">{action.label}</span>
          {changing === action.id ? (
            <input
              aria-label={text.press(action.label)}
              aria-describedby="shortcut-refusal"
              placeholder={text.pressKeys}
              value=""
              readOnly
              // oxlint-disable-next-line jsx-a11y/no-autofocus -- it was asked for by the button in its place
              autoFocus
              onKeyDown={(event) => onPress(action, event)}
              onBlur={() => setChanging(null)}
              className="field h-7 w-40 py-0"
            />
          ) : (
            <>
              <kbd className="font-sans text-small text-quiet">{action.keys ? writeKeys(action.keys) : text.none}</kbd>
              <Button
                aria-label={text.changeOf(action.label)}
                onClick={() => {
                  setRefusal(null);
                  setChanging(action.id);
                }}
              >
                {text.change}
              </Button>
              {action.keys && (
                <Button variant="ghost" aria-label={text.removeOf(action.label)} onClick={() => set(action.id, null)}>
                  {text.remove}
                </Button>
              )}
              {action.id in shortcuts && (
                <Button variant="ghost" aria-label={text.restoreOf(action.label)} onClick={() => restore(action.id)}>
                  {strings.common.undo}
                </Button>
              )}
            </>
          )}
          {changing === action.id && (
            <p id="shortcut-refusal" role="status" className="w-full text-right text-small text-danger-text empty:hidden">
              {refusal}
            </p>
          )}
        </div>
      ))}
    </SettingSection>
  );
}
