/** Asks Dawn for an adapter and prints what it is, as one line of JSON. Run in a process of its own: a driver can hang or crash. */
import { create } from 'webgpu';

const gpu = create(['enable-dawn-features=allow_unsafe_apis']);
const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
const report = adapter && {
  vendor: adapter.info.vendor,
  architecture: adapter.info.architecture,
  description: adapter.info.description,
  software: adapter.info.isFallbackAdapter,
};
process.stdout.write(`${JSON.stringify(report)}\n`, () => {
  // Dawn keeps threads alive that would hold this process open.
  process.exit(0);
});
