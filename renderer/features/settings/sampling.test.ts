import { describe, expect, it } from 'vitest';
import { defaultSampling, sampling } from '../../../host/contract/entities.ts';
import { newChatSampling, parseSetting, samplingFields, seedField } from './sampling.ts';

describe('sampling fields', () => {
  it('cover every number of the contract, within its bounds', () => {
    expect(samplingFields.map(({ name }) => name).sort()).toEqual(
      Object.keys(defaultSampling).filter((name) => name !== 'seed').sort(),
    );
    for (const { name, least, most } of samplingFields) {
      for (const value of [least, most]) expect(sampling.safeParse({ ...defaultSampling, [name]: value }).success).toBe(true);
      expect(sampling.safeParse({ ...defaultSampling, [name]: most + 1 }).success).toBe(false);
    }
  });

  it('take only what the contract takes', () => {
    const topK = samplingFields[1];
    expect(['40', ' 40 ', '', 'x', '-1', '1001', '2.5'].map((typed) => parseSetting(topK, typed))).toEqual([40, 40, null, null, null, null, null]);
    expect(parseSetting(seedField, '4294967295')).toBe(4_294_967_295);
    expect(parseSetting(seedField, '4294967296')).toBeNull();
  });

  it('begin as the model has them, else as every new chat', () => {
    const warm = { ...defaultSampling, temperature: 0.7 };
    const settings = { defaultSampling, modelSampling: { own: warm } };
    expect([newChatSampling(settings, 'own'), newChatSampling(settings, 'other'), newChatSampling(settings, null)]).toEqual([warm, defaultSampling, defaultSampling]);
  });
});
