/** A WGSL file imported as text; the bundler and the test runner both load it as a string. */
declare module '*.wgsl' {
  const source: string;
  export default source;
}
