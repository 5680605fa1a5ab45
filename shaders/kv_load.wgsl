// Reads the key-value cache in either of its formats. A unit is what one element of the bound array
// holds: WIDE f16 units have eight dimensions (widen0, widen1), all others four (widen0).
// Constants: HALF_CACHE, WIDE.
//@if HALF_CACHE
//@if WIDE
alias KvUnit = vec4<u32>;
fn widen1(unit: KvUnit) -> vec4<f32> { return vec4<f32>(unpack2x16float(unit.z), unpack2x16float(unit.w)); }
//@else
alias KvUnit = vec2<u32>;
//@end
fn widen0(unit: KvUnit) -> vec4<f32> { return vec4<f32>(unpack2x16float(unit.x), unpack2x16float(unit.y)); }
//@else
alias KvUnit = vec4<f32>;
fn widen0(unit: KvUnit) -> vec4<f32> { return unit; }
//@end
