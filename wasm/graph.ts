/**
 * Attention-aware graphs in WebAssembly SIMD (AssemblyScript): RoarGraph (arXiv 2408.08933) as RetrievalAttention
 * (arXiv 2409.10516) uses it, a graph over a layer's keys for each query head, made from the prompt's own queries.
 * Scores are inner products: larger is nearer.
 *
 * The memory is shared by threads and laid out by `engine/retrieval/graph/layerGraph.ts`. Each call works on one graph
 * with one thread's scratch, so results depend neither on the number of threads nor on their timing. Reference of
 * scan and search: `engine/reference/retrieval/graph.ts`.
 */
export { find } from './graph/search';
export { build, cut, nearest } from './graph/build';
