import { expect, test } from 'vitest';
import { shortAdapterName } from './adapterName.ts';

test.each([
  ['llvmpipe: Mesa 25.0.7-2~bpo12+1 (LLVM 15.0.6) 0.0.1', 'llvmpipe-llvm-15-0-6-256-bits-', 'software', 'llvmpipe (software)'],
  ['SwiftShader driver 5.0.0 swiftshader-device-subzero-', 'swiftshader-device-subzero-', 'software', 'SwiftShader (software)'],
  ['D3D12 driver Microsoft Basic Render Driver', 'microsoft-basic-render-driver', 'software', 'Basic Render (software)'],
  ['NVIDIA: 580.159.04 580.159.4.0 nvidia-h100-80gb-hbm3', 'nvidia-h100-80gb-hbm3', 'gpu', 'NVIDIA H100'],
  ['NVIDIA: 550.1 nvidia-geforce-rtx-4070-ti', 'nvidia-geforce-rtx-4070-ti', 'gpu', 'NVIDIA GeForce RTX 4070 Ti'],
  ['radv: Mesa 25.0 AMD Radeon RX 6800 XT (RADV NAVI21)', 'amd-radeon-rx-6800-xt', 'gpu', 'AMD Radeon RX 6800 XT'],
  ['Intel(R) UHD Graphics 630', 'Intel(R) UHD Graphics 630', 'gpu', 'Intel UHD Graphics 630'],
  ['Metal driver on macOS apple-m2-pro', 'apple-m2-pro', 'gpu', 'Apple M2 Pro'],
  ['a driver without a device name', '', 'gpu', 'a driver without a device name'],
] as const)('%s', (name, device, kind, short) => {
  expect(shortAdapterName({ name, device, kind })).toBe(short);
});
