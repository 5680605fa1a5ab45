/** What a chat is called on the screen: its name, or that it has none yet, in the language of the window. */
import { untitledChat } from '../../../host/contract/conversation.ts';
import { chatStrings } from './strings.ts';

export function titleOf(title: string): string {
  return title === '' || title === untitledChat ? chatStrings.untitled : title;
}
