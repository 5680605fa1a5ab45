/** Attention of many queries over a part of a layer's keys: blocks of keys in workgroup memory serve 64 queries. */
import blocksText from '../../../shaders/attention_blocks.wgsl';
import type { Device } from '../../device/device.ts';
import { attentionSource, type AttentionVariant, type KeysRead } from './variants.ts';

const queriesAtOnce = 64;
const invocations = 128;
/** Keys of a block, in eights: the more there is memory for, the better. */
const columnsTried = [4, 2];

/** null for heads that its lanes cannot share, where a workgroup has too little memory, and for what lies in no order. */
export function blocksVariant(device: Device, keys: KeysRead): AttentionVariant | null {
  const { listed, weighed, headDim } = keys;
  const units = headDim / 4;
  const room = device.facts.limits.maxComputeWorkgroupStorageSize;
  const columns = columnsTried.find((tried) => workgroupBytes(units, 8 * tried) <= room);
  if (listed || weighed || units % 8 !== 0 || columns === undefined) return null;
  return {
    name: `attention_blocks, ${queriesAtOnce} queries × ${8 * columns} keys`,
    queriesAtOnce,
    splits: { workgroups: 0, keys: 512 },
    kernel: () =>
      device.kernels.get(
        attentionSource(keys, {
          label: 'attention_blocks',
          text: blocksText,
          constants: {
            UNITS: units,
            LANE_UNITS: units / 8,
            COLUMNS: columns,
          },
        }),
      ),
  };
}

function workgroupBytes(units: number, keys: number): number {
  return 16 * (queriesAtOnce * (units + 1) + keys * (units + 1) + keys * units + keys * (queriesAtOnce / 4) + invocations);
}
