/** Attention of many queries over a part of a layer's keys: blocks of keys in workgroup memory serve 64 queries. */
import blocksText from '../../../shaders/attention_blocks.wgsl';
import loadText from '../../../shaders/kv_load.wgsl';
import eightBitText from '../../../shaders/kv_load_eight_bit.wgsl';
import type { Device } from '../../device/device.ts';
import { eightBitRecordWords } from '../../retrieval/layout.ts';
import type { AttentionVariant, KeysRead } from './variants.ts';

const queriesAtOnce = 64;
const invocations = 128;
/** Keys of a block, in eights: the more there is memory for, the better. */
const columnsTried = [4, 2];

/** null for heads that its lanes cannot share, where a workgroup has too little memory, and for what lies in no order. */
export function blocksVariant(device: Device, { format, causal, listed, weighed, headDim }: KeysRead): AttentionVariant | null {
  const units = headDim / 4;
  const room = device.facts.limits.maxComputeWorkgroupStorageSize;
  const columns = columnsTried.find((tried) => workgroupBytes(units, 8 * tried) <= room);
  if (listed || weighed || units % 8 !== 0 || columns === undefined) return null;
  const eightBit = format === 'q8';
  return {
    name: `attention_blocks, ${queriesAtOnce} queries × ${8 * columns} keys`,
    queriesAtOnce,
    splits: { workgroups: 0, keys: 512 },
    kernel: () =>
      device.kernels.get({
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
      }),
  };
}

function workgroupBytes(units: number, keys: number): number {
  return 16 * (queriesAtOnce * (units + 1) + keys * (units + 1) + keys * units + keys * (queriesAtOnce / 4) + invocations);
}
