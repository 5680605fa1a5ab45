// Attention of few queries over many keys (decoding on GPUs), with online softmax in f32. SPREAD lanes share a key, so
// that neighbouring lanes load neighbouring dimensions; the heads of a group share every key that is loaded; a
// workgroup's teams of SPREAD lanes take keys in turn, KEYS of them in flight, and merge at the end by log-sum-exp.
// The queries of one key-value head are numbered row·group + (head in its group).
// Shapes, bindings, CAUSAL, PARTIAL, LISTED, WEIGHED: those of attention_tiled.wgsl.
// Mapping: workgroup x = tile of HEADS queries, y = key-value head, z = split of the keys. Lane `part` of a team has
//   units part, part + SPREAD, … of every vector.
// Constants: THREADS, LANES of a subgroup (SPREAD divides it), SPREAD, KEYS, HEADS, UNITS of a vector that hold
//   dimensions, LOADS = ⌈UNITS / SPREAD⌉, EVEN = UNITS is LOADS · SPREAD, PARTS = quads of dimensions in a unit,
//   QUADS = UNITS · PARTS, VECTOR_UNITS = units of a stored vector, SUBGROUPS = THREADS / LANES, and the capitals above.
// Keys of 8 bits meet queries as integers: of 8 bits and, for what is left, of 8 more (a 2^-16 of the largest dimension).
// For GPUs with subgroups of known size. Reference: attend, attendRange in engine/reference/attention.ts.
// Texts: kv_load.wgsl or kv_load_eight_bit.wgsl, attention_io.wgsl; attention_split_alone.wgsl begins it, or
//   attention_split_parts.wgsl several copies of it.

const TEAMS = THREADS / SPREAD;

// What each subgroup has of each query.
var<workgroup> mixtures: array<vec4<f32>, SUBGROUPS * HEADS * QUADS>;
var<workgroup> maxima: array<f32, SUBGROUPS * HEADS>;
var<workgroup> totals: array<f32, SUBGROUPS * HEADS>;

// What an invocation does of the workgroup at `workgroup` among `workgroups`; all of a workgroup must call it.
fn attend(workgroup: vec3<u32>, workgroups: vec3<u32>, invocation: u32) {
  let group = shape.heads / shape.kvHeads;
  let kvHead = workgroup.y;
  let firstQuery = workgroup.x * HEADS;
  let lastQuery = min(firstQuery + HEADS, step.rows * group) - 1u;
  let cacheBase = kvHead * shape.capacitySlots;
  let lane = invocation % SPREAD;
  let team = invocation / SPREAD;

  // Keys that any query of the tile sees, and of those the part of this split.
//@if CAUSAL
  let tileEnd = step.position + lastQuery / group + 1u;
  let seenBy = step.position + firstQuery / group + 1u;
  let tileBegin = select(step.sealed, seenBy - min(seenBy, shape.window), shape.window > 0u);
//@else
  let tileBegin = 0u;
//@if LISTED
  let tileEnd = listCounts[kvHead];
//@else
  let tileEnd = part.keys;
//@end
//@end
  let splitKeys = (tileEnd - tileBegin + workgroups.z - 1u) / workgroups.z;
  let begin = min(tileEnd, tileBegin + workgroup.z * splitKeys);
  let end = min(tileEnd, begin + splitKeys);

//@unroll l LOADS
//@if EVEN
  let unit$l = $lu * SPREAD + lane;
//@else
  // Lanes past the vector's end load its last unit for nothing.
  let unit$l = min($lu * SPREAD + lane, UNITS - 1u);
//@end
//@end
//@unroll h HEADS
  let query$h = min(firstQuery + $hu, lastQuery);
  let head$h = headOf(query$h, kvHead, group);
  let position$h = step.position + query$h / group;
  var maximum$h = NOTHING;
  var sum$h = 0.0;
//@unroll l LOADS
//@unroll p PARTS
//@if EVEN
  let asked$h_$l_$p = queries[head$h * QUADS + unit$l * PARTS + $pu];
//@else
  let asked$h_$l_$p = select(vec4<f32>(), queries[head$h * QUADS + unit$l * PARTS + $pu], $lu * SPREAD + lane < UNITS);
//@end
  var mixed$h_$l_$p = vec4<f32>();
//@end
//@end
//@if EIGHT_BIT
  var largest$h = 1e-30;
//@unroll l LOADS
  let sizes$h_$l = abs(asked$h_$l_0);
  largest$h = max(largest$h, max(max(sizes$h_$l.x, sizes$h_$l.y), max(sizes$h_$l.z, sizes$h_$l.w)));
//@end
  for (var mask = 1u; mask < SPREAD; mask *= 2u) { largest$h = max(largest$h, subgroupShuffleXor(largest$h, mask)); }
//@unroll l LOADS
  let scaled$h_$l = asked$h_$l_0 * (127.0 / largest$h);
  let coarse$h_$l = round(scaled$h_$l);
  let high$h_$l = pack4xI8(vec4<i32>(coarse$h_$l));
  let low$h_$l = pack4xI8(vec4<i32>(round((scaled$h_$l - coarse$h_$l) * 254.0)));
//@end
  let queryScale$h = largest$h / (127.0 * 254.0);
//@end
//@end
//@if PARTIAL
  let splitBase = (part.firstSplit + workgroup.z) * step.rows * shape.heads;
  // What a split holds counts as one key: its mean value, whose score is the log-sum-exp.
  if (part.continued > 0u && team == 0u) {
//@unroll h HEADS
    maximum$h = logSumExps[splitBase + head$h];
    sum$h = select(0.0, 1.0, maximum$h > NOTHING);
//@unroll l LOADS
//@unroll p PARTS
    mixed$h_$l_$p = partials[(splitBase + head$h) * QUADS + unit$l * PARTS + $pu];
//@end
//@end
//@end
  }
//@else
  let splitBase = workgroup.z * step.rows * shape.heads;
//@end

  for (var block = begin; block < end; block += TEAMS * KEYS) {
    // All loads first; keys past the end are the last one again, and masked below.
//@unroll k KEYS
    let index$k = block + $ku * TEAMS + team;
    let slot$k = cacheBase + slotOf(min(index$k, end - 1u), kvHead);
    let vector$k = slot$k * VECTOR_UNITS;
//@unroll l LOADS
    let key$k_$l = keys[vector$k + unit$l];
//@end
//@if EIGHT_BIT
    let keyScale$k = bitcast<f32>(keys[vector$k + UNITS]);
    let valueScale$k = bitcast<f32>(values[vector$k + UNITS]);
//@end
//@end
//@unroll k KEYS
//@unroll l LOADS
    let value$k_$l = values[vector$k + unit$l];
//@end
//@end
//@unroll k KEYS
//@if EIGHT_BIT
//@unroll h HEADS
    var coarseDot$k_$h = 0;
    var fineDot$k_$h = 0;
//@unroll l LOADS
    coarseDot$k_$h += dot4I8Packed(high$h_$l, key$k_$l);
    fineDot$k_$h += dot4I8Packed(low$h_$l, key$k_$l);
//@end
    var dots$k_$h = 254 * coarseDot$k_$h + fineDot$k_$h;
//@end
//@else
//@unroll l LOADS
//@unroll p PARTS
    let wide$k_$l_$p = widen$p(key$k_$l);
//@end
//@end
//@unroll h HEADS
    var products$k_$h = vec4<f32>();
//@unroll l LOADS
//@unroll p PARTS
    products$k_$h += asked$h_$l_$p * wide$k_$l_$p;
//@end
//@end
    var dots$k_$h = dot(products$k_$h, vec4<f32>(1.0));
//@end
//@end
//@end
    for (var mask = 1u; mask < SPREAD; mask *= 2u) {
//@unroll k KEYS
//@unroll h HEADS
      dots$k_$h += subgroupShuffleXor(dots$k_$h, mask);
//@end
//@end
    }
//@if WEIGHED
//@unroll k KEYS
    let count$k = weights[slot$k];
    let more$k = log(f32(max(count$k, 1u)));
//@end
//@end
//@unroll h HEADS
    let before$h = maximum$h;
//@unroll k KEYS
//@if EIGHT_BIT
    let dot$k_$h = f32(dots$k_$h) * (queryScale$h * keyScale$k);
//@else
    let dot$k_$h = dots$k_$h;
//@end
//@if WEIGHED
    let counts$k_$h = sees(position$h, index$k, end) && count$k > 0u;
    let score$k_$h = select(NOTHING, dot$k_$h + more$k, counts$k_$h);
//@else
    let counts$k_$h = sees(position$h, index$k, end);
    let score$k_$h = select(NOTHING, dot$k_$h, counts$k_$h);
//@end
    maximum$h = max(maximum$h, score$k_$h);
//@end
    let rescale$h = exp(max(before$h - maximum$h, -88.0));
    sum$h *= rescale$h;
//@unroll l LOADS
//@unroll p PARTS
    mixed$h_$l_$p *= rescale$h;
//@end
//@end
//@unroll k KEYS
    let weight$k_$h = select(0.0, exp(max(score$k_$h - maximum$h, -88.0)), counts$k_$h);
    sum$h += weight$k_$h;
//@end
//@end
//@unroll k KEYS
//@unroll l LOADS
//@unroll p PARTS
//@if EIGHT_BIT
    let mixable$k_$l_$p = valueScale$k * widen$p(value$k_$l);
//@else
    let mixable$k_$l_$p = widen$p(value$k_$l);
//@end
//@unroll h HEADS
    mixed$h_$l_$p += weight$k_$h * mixable$k_$l_$p;
//@end
//@end
//@end
//@end
  }

  // The teams of a subgroup become one.
  for (var mask = u32(SPREAD); mask < LANES; mask *= 2u) {
//@unroll h HEADS
    let other$h = subgroupShuffleXor(maximum$h, mask);
    let highest$h = max(maximum$h, other$h);
    let own$h = exp(max(maximum$h - highest$h, -88.0));
    let theirs$h = exp(max(other$h - highest$h, -88.0));
    maximum$h = highest$h;
    sum$h = own$h * sum$h + theirs$h * subgroupShuffleXor(sum$h, mask);
//@unroll l LOADS
//@unroll p PARTS
    mixed$h_$l_$p = own$h * mixed$h_$l_$p + theirs$h * subgroupShuffleXor(mixed$h_$l_$p, mask);
//@end
//@end
//@end
  }
  let subgroup = invocation / LANES;
  if (invocation % LANES < SPREAD) {
//@unroll h HEADS
    if (lane == 0u) {
      maxima[subgroup * HEADS + $hu] = maximum$h;
      totals[subgroup * HEADS + $hu] = sum$h;
    }
//@unroll l LOADS
//@if !EVEN
    if ($lu * SPREAD + lane < UNITS)
//@end
    {
//@unroll p PARTS
      mixtures[(subgroup * HEADS + $hu) * QUADS + unit$l * PARTS + $pu] = mixed$h_$l_$p;
//@end
    }
//@end
//@end
  }
  workgroupBarrier();

  // And the subgroups.
  for (var i = invocation; i < HEADS * QUADS; i += THREADS) {
    let own = i / QUADS;
    let quad = i % QUADS;
    let query = firstQuery + own;
    if (query > lastQuery) { continue; }
    var highest = NOTHING;
    for (var s = 0u; s < SUBGROUPS; s++) { highest = max(highest, maxima[s * HEADS + own]); }
    var total = 0.0;
    var mixture = vec4<f32>();
    for (var s = 0u; s < SUBGROUPS; s++) {
      let weight = exp(max(maxima[s * HEADS + own] - highest, -88.0));
      total += weight * totals[s * HEADS + own];
      mixture += weight * mixtures[(s * HEADS + own) * QUADS + quad];
    }
    mixture *= select(0.0, 1.0 / total, total > 0.0);
    let head = headOf(query, kvHead, group);
    if (quad == 0u && (PARTIAL || workgroups.z > 1u)) {
      logSumExps[splitBase + head] = select(NOTHING, highest + log(total), total > 0.0);
    }
//@if PARTIAL
    partials[(splitBase + head) * QUADS + quad] = mixture;
//@else
    if (workgroups.z > 1u) { partials[(splitBase + head) * QUADS + quad] = mixture; } else { output[head * QUADS + quad] = mixture; }
//@end
  }
}
