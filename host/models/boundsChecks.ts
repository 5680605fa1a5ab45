/**
 * Which models run with Dawn's bounds checks in shaders: all but those of the catalogue, byte for byte. Our kernels
 * guard their bounds whatever the shape (`engine/strayWrites.gpu.test.ts` looks for writes that miss); the checks are for
 * the shape and the values that nobody has thought of.
 */
import { stat } from 'node:fs/promises';
import * as z from 'zod';
import type { CatalogueEntry } from '../contract/entities.ts';
import { HostError } from '../errors.ts';
import { hashFile } from './hashFile.ts';

const setting = z.enum(['on', 'off']).optional();

/** LONGLEAF_BOUNDS_CHECKS=on|off decides for every model, for measurements. */
export function needsBoundsChecks(isOfCatalogue: boolean): boolean {
  const given = setting.safeParse(process.env['LONGLEAF_BOUNDS_CHECKS'] || undefined);
  if (!given.success) {
    throw new HostError('usage', `LONGLEAF_BOUNDS_CHECKS is “${process.env['LONGLEAF_BOUNDS_CHECKS']}”.`, 'Set it to on or off, or leave it out.');
  }
  return given.data === undefined ? !isOfCatalogue : given.data === 'on';
}

/** Reads the whole file, but only where its size is that of a model of the catalogue. */
export async function isFileOfCatalogue(path: string, catalogue: readonly CatalogueEntry[]): Promise<boolean> {
  const { size: sizeBytes } = await stat(path);
  const candidates = catalogue.filter((entry) => entry.sizeBytes === sizeBytes);
  if (candidates.length === 0) return false;
  const sha256 = await hashFile(path);
  return candidates.some((entry) => entry.sha256 === sha256);
}
