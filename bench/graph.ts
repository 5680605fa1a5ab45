/**
 * The policy `graph` against a scan of all keys, an ordinary HNSW and the sketch, on queries and keys of real models; and
 * its growth on synthetic ones. JSON lines on stdout.
 *
 *     node dist/bench/graph.js --dump FOLDER/NAME --model M.gguf --book BOOK.txt --tokens 6000 [--layers 0,5,11]
 *     node dist/bench/graph.js --recall FOLDER/NAME [--layers 0,5] [--wanted 100] [--methods graph,hnsw,sketch]
 *     node dist/bench/graph.js --growth 32768,131072 [--heads 4] [--kv-heads 1] [--dims 64]
 *
 * `--dump` reads the book with the model and keeps queries and keys of some layers (all that see everything, by
 * default), and of 64 decoded tokens. `--recall` measures what was dumped. `--growth` plants keys that are the answers of
 * queries the graphs were not made from, among so many others, and searches graphs of all sizes in turn.
 */
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    dump: { type: 'string' },
    model: { type: 'string' },
    book: { type: 'string' },
    tokens: { type: 'string', default: '6000' },
    layers: { type: 'string' },
    recall: { type: 'string' },
    wanted: { type: 'string', default: '100' },
    methods: { type: 'string', default: 'graph,hnsw,sketch' },
    growth: { type: 'string' },
    heads: { type: 'string', default: '4' },
    'kv-heads': { type: 'string', default: '1' },
    dims: { type: 'string', default: '64' },
  },
});
const layers = values.layers?.split(',').map(Number) ?? null;

if (values.dump) {
  if (!values.model || !values.book) throw new Error('--dump needs --model and --book');
  const { dumpAttention } = await import('./graph/dump.ts');
  await dumpAttention({ target: values.dump, model: values.model, book: values.book, tokens: Number(values.tokens), layers });
} else if (values.recall) {
  const { measureRecall } = await import('./graph/recall.ts');
  await measureRecall({ source: values.recall, layers, wanted: Number(values.wanted), methods: values.methods.split(',') });
} else if (values.growth) {
  const { measureGrowth } = await import('./graph/growth.ts');
  await measureGrowth({ counts: values.growth.split(',').map(Number), heads: Number(values.heads), kvHeads: Number(values['kv-heads']), dims: Number(values.dims) });
} else throw new Error('one of --dump, --recall, --growth is needed; see the top of bench/graph.ts');
process.exit(0);
