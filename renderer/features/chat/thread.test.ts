import { describe, expect, it } from 'vitest';
import { messageOf } from '../../testing/scriptedHost.ts';
import { emptyThread, messagesOf, streamingAnswerOf, withActive, withMessage, withPath } from './thread.ts';

const question = messageOf('q1');
const answer = messageOf('a1', { role: 'assistant', parentId: 'q1' });
const thread = withPath(emptyThread, [question, answer]);

describe('a thread', () => {
  it('follows new messages to the end of the path', () => {
    const asked = withMessage(thread, messageOf('q2', { parentId: 'a1' }));
    const answering = withMessage(asked, messageOf('a2', { role: 'assistant', parentId: 'q2', state: 'streaming', text: '' }));
    expect(answering.path).toEqual(['q1', 'a1', 'q2', 'a2']);
    expect(streamingAnswerOf(answering)?.id).toBe('a2');
    expect(streamingAnswerOf(thread)).toBeNull();
  });

  it('puts a new alternative in the place of the old one and tells the siblings', () => {
    const siblingIds = ['a1', 'a2'];
    const again = withActive(thread, messageOf('a2', { role: 'assistant', parentId: 'q1', state: 'streaming', siblingIds, siblingIndex: 1 }));
    expect(again.path).toEqual(['q1', 'a2']);
    expect(again.byId.a1).toMatchObject({ siblingIds, siblingIndex: 0 });
  });

  it('cuts what followed an edited question', () => {
    const edited = withMessage(thread, messageOf('q1b', { siblingIds: ['q1', 'q1b'], siblingIndex: 1 }));
    expect(edited.path).toEqual(['q1b']);
  });

  it('does not go back to an alternative that changes while another is shown', () => {
    const siblingIds = ['a1', 'a2'];
    const streaming = messageOf('a2', { role: 'assistant', parentId: 'q1', state: 'streaming', siblingIds, siblingIndex: 1 });
    const selectedFirst = withPath(withActive(thread, streaming), [question, { ...answer, siblingIds }]);
    const finished = withMessage(selectedFirst, { ...streaming, state: 'complete', text: 'Done.' });
    expect(finished.path).toEqual(['q1', 'a1']);
    expect(finished.byId.a2.text).toBe('Done.');
  });

  it('ignores a finished alternative it has never heard of', () => {
    expect(withMessage(thread, messageOf('a9', { role: 'assistant', parentId: 'q1' })).path).toEqual(['q1', 'a1']);
  });

  it('keeps streamed text that is ahead of a late message', () => {
    const ahead = withPath(thread, [question, { ...answer, state: 'streaming', text: 'Dorothea went' }]);
    const late = withMessage(ahead, { ...answer, state: 'streaming', text: 'Doro' });
    expect(messagesOf(late)[1].text).toBe('Dorothea went');
    expect(withMessage(ahead, { ...answer, text: 'Doro' }).byId.a1.text).toBe('Doro');
  });
});
