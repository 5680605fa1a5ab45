import { expect, it } from 'vitest';
import { resolveLanguage } from '../../host/contract/languages.ts';

it('is the one that was chosen, else the first that both speak, else English', () => {
  expect(resolveLanguage('ja', ['de-DE'])).toBe('ja');
  expect(resolveLanguage('system', ['fr-FR', 'de-AT', 'ja'])).toBe('de');
  expect(resolveLanguage('system', ['fr'])).toBe('en');
  expect(resolveLanguage(null, [])).toBe('en');
});
