/** Attention of many queries over a part of a layer's keys: blocks of keys in workgroup memory serve 64 queries. */
import blocksText from '../../../shaders/attention_blocks.wgsl';
import loadText from '../../../shaders/kv_load.wgsl';
import eightBitText from '../../../shaders/kv_load_eight_bit.wgsl';
import type { Device } from '../../device/device.ts';
import type { Kernel } from '../../device/kernel.ts';
import { eightBitRecordWords } from '../../retrieval/layout.ts';

const queriesAtOnce = 64;
const invocations = 128;
/** Keys of a block, in eights: the more there is memory for, the better. */
const columnsTried = [4, 2];

/** null for heads that its lanes cannot share, and where a workgroup has too little memory. */
export async function blocksKernel(
  device: Device,
  { format, causal, headDim }: { format: 'f32' | 'f16' | 'q8'; causal: boolean; headDim: number },
): Promise<{ kernel: Kernel; queriesAtOnce: number } | null> {
  const units = headDim / 4;
  const room = device.facts.limits.maxComputeWorkgroupStorageSize;
  const columns = columnsTried.find((tried) => workgroupBytes(units, 8 * tried) <= room);
  if (units % 8 !== 0 || columns === undefined) return null;
  const eightBit = format === 'q8';
  const kernel = await device.kernels.get({
    label: 'attention_blocks',
    texts: [eightBit ? eightBitText : loadText, blocksText],
    constants: {
      HALF_CACHE: format === 'f16',
      EIGHT_BIT: eightBit,
      WIDE: false,
      FUSED: true,
      UNITS: units,
      LANE_UNITS: units / 8,
      VECTOR_UNITS: eightBit ? eightBitRecordWords(headDim) : units,
      COLUMNS: columns,
      CAUSAL: causal,
    },
  });
  return { kernel, queriesAtOnce };
}

function workgroupBytes(units: number, keys: number): number {
  return 16 * (queriesAtOnce * (units + 1) + keys * (units + 1) + keys * units + keys * (queriesAtOnce / 4) + invocations);
}
