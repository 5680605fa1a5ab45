import { expect, it } from 'vitest';
import { hostErrorCodes } from '../../host/contract/failureCodes.ts';
import { inWords } from './failureWords.ts';

it.each(['de', 'ja'] as const)('every failure of the host is said in %s, before its own words', (language) => {
  const said = hostErrorCodes.map((code) => inWords({ code, message: 'What.', remedy: 'Do.' }, language));
  for (const { code, message, remedy } of said) {
    expect(message, code).toMatch(/[.。]$/);
    expect(message, code).not.toBe('What.');
    expect(remedy).toBe('What. Do.');
  }
  expect(new Set(said.map(({ message }) => message)).size).toBe(hostErrorCodes.length);
});

it('in English, and for failures of others, the words stay', () => {
  const failure = { code: 'offline', message: 'What.', remedy: 'Do.' };
  expect(inWords(failure, 'en')).toBe(failure);
  expect(inWords({ ...failure, code: 'of-the-engine' }, 'de')).toEqual({ ...failure, code: 'of-the-engine' });
});
