// What the two sampling kernels share: settings, logits with their penalty, and how two compare.
// The logits are read four at a time; what lies past the vocabulary counts as NOTHING.
// Reference: engine/reference/sampling.ts.

struct Settings {
  vocabularySize: u32,
  blocks: u32,
  // 0: the largest logit. 1: a draw from all tokens. 2: a draw from the largest, found one by one.
  mode: u32,
  seed: u32,
  topK: u32,
  topP: f32,
  // ln(min-p), -1e30 when off.
  logMinP: f32,
  inverseTemperature: f32,
  repetitionPenalty: f32,
  // How many of the newest tokens are penalised, 0 for none.
  penaltyTokens: u32,
  historySlots: u32,
  ringSlots: u32,
}

// Stands for -infinity, which WGSL does not promise to handle.
const NOTHING = -3.4e38;
const NO_TOKEN = 0xffffffffu;
// Tokens a block: a block is searched again whenever its best token is taken.
const BLOCK = 512u;
const BLOCK_UNITS = 128u;

@group(0) @binding(0) var<uniform> settings: Settings;
@group(0) @binding(1) var<storage, read> logits: array<vec4<f32>>;
// How often each token is among the last `penaltyTokens`.
@group(0) @binding(2) var<storage, read_write> seen: array<u32>;

struct Best { logit: f32, token: u32 }

// Larger logit first, then the lower id.
fn better(a: Best, b: Best) -> bool {
  return a.logit > b.logit || (a.logit == b.logit && a.token < b.token);
}

// The repetition penalty of llama.cpp: towards less likely, whatever the sign.
fn penalised(logit: f32, token: u32) -> f32 {
  if (settings.penaltyTokens == 0u || token >= settings.vocabularySize || seen[token] == 0u) { return logit; }
  return select(logit / settings.repetitionPenalty, logit * settings.repetitionPenalty, logit <= 0.0);
}

fn bounded(logit: f32, token: u32) -> f32 {
  return select(NOTHING, max(logit, NOTHING), token < settings.vocabularySize);
}

// Logits of tokens 4·unit … 4·unit + 3, penalised; minus infinity becomes NOTHING.
fn logitsAt(unit: u32) -> vec4<f32> {
  let raw = logits[unit];
  let token = 4u * unit;
  return vec4<f32>(
    bounded(penalised(raw.x, token), token),
    bounded(penalised(raw.y, token + 1u), token + 1u),
    bounded(penalised(raw.z, token + 2u), token + 2u),
    bounded(penalised(raw.w, token + 3u), token + 3u),
  );
}

// True when one of the four is NaN or +infinity, by its bits: WGSL may assume that neither exists.
fn broken(unit: u32) -> bool {
  let bits = bitcast<vec4<u32>>(logits[unit]);
  let nan = (bits & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u);
  let infinite = bits == vec4<u32>(0x7f800000u);
  let inside = vec4<u32>(4u * unit) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(settings.vocabularySize);
  return any((nan | infinite) & inside);
}
