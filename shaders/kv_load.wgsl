// Reads the key-value cache, four dimensions at a time, in either of its formats.
// Constants: HALF_CACHE. The unit is what one element of the bound array holds.
//@if HALF_CACHE
alias KvUnit = vec2<u32>;
fn widen(unit: KvUnit) -> vec4<f32> { return vec4<f32>(unpack2x16float(unit.x), unpack2x16float(unit.y)); }
//@else
alias KvUnit = vec4<f32>;
fn widen(unit: KvUnit) -> vec4<f32> { return unit; }
//@end
