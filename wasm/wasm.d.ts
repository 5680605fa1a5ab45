/** A WebAssembly program as its bytes; the bundler and the test runner compile it from the `.ts` file that lies there. */
declare module '*.wasm' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
