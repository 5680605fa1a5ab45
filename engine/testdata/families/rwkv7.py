"""
A tiny random RWKV-7 as a GGUF file with llama.cpp's names, and the logits of the recurrence as its paper has it (arXiv
2503.14456, and BlinkDL's `rwkv_v7_numpy.py`), in double precision: transformers has no RWKV-7.

    pip install numpy gguf
    python engine/testdata/families/rwkv7.py

Writes rwkv7.gguf and rwkv7.json beside this file, in the form of make.py. llama.cpp reads the same file
(bench/families/compareLlama.ts).
"""
import base64
import json
import zlib
from pathlib import Path

import gguf
import numpy as np

folder = Path(__file__).parent
vocabulary, hidden, width, layers, head_dim = 272, 128, 192, 3, 64
heads = hidden // head_dim
ranks = {'w': 32, 'a': 64, 'v': 32, 'g': 96}
half = gguf.GGMLQuantizationType.F16
random = np.random.default_rng(zlib.crc32(b'rwkv7'))


def rounded(values):
    return gguf.quants.dequantize(gguf.quants.quantize(values.astype(np.float32), half), half).reshape(values.shape)


def matrix(outputs, inputs, scale=1.5):
    return rounded(random.standard_normal((outputs, inputs)) * scale / np.sqrt(inputs))


def around(middle, deviation, *shape):
    return (middle + deviation * random.standard_normal(shape or (hidden,))).astype(np.float32)


def draw():
    weights = {'token_embd.weight': rounded(random.standard_normal((vocabulary, hidden))), 'output.weight': matrix(vocabulary, hidden)}
    for norm in ['token_embd_norm', 'output_norm', *(f'blk.{i}.{name}' for i in range(layers) for name in ('attn_norm', 'attn_norm_2', 'time_mix_ln'))]:
        weights |= {f'{norm}.weight': around(1, 0.2), f'{norm}.bias': around(0, 0.2)}
    for i in range(layers):
        mix = f'blk.{i}.time_mix_'
        for name in ('receptance', 'key', 'value', 'output'): weights[f'{mix}{name}.weight'] = matrix(hidden, hidden)
        for name, rank in ranks.items():
            # The converter gives the first layer, which mixes no values, those of the rate.
            if name == 'v' and i == 0: continue
            weights |= {f'{mix}{name}1.weight': matrix(rank, hidden), f'{mix}{name}2.weight': matrix(hidden, rank)}
            if name != 'g': weights[f'{mix}{name}0.weight'] = around(0, 1)
        if i == 0: weights |= {f'{mix}v{part}.weight': weights[f'{mix}a{part}.weight'] for part in '012'}
        weights |= {f'{mix}lerp_fused.weight': around(0.5, 0.3, 6, 1, 1, hidden), f'{mix}k_k.weight': around(0.8, 0.2), f'{mix}k_a.weight': around(1, 0.2),
                    f'{mix}r_k.weight': around(0, 0.3), f'blk.{i}.channel_mix_lerp_k.weight': around(0.5, 0.3, 1, 1, hidden),
                    f'blk.{i}.channel_mix_key.weight': matrix(width, hidden), f'blk.{i}.channel_mix_value.weight': matrix(hidden, width)}
    return weights


def sigmoid(x): return 1 / (1 + np.exp(-x))


def layer_norm(x, weight, bias, epsilon=1e-5):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred ** 2).mean(-1, keepdims=True) + epsilon) * weight + bias


def forward(weights, tokens):
    w = {name: values.astype(np.float64) for name, values in weights.items()}
    norm = lambda x, name: layer_norm(x, w[f'{name}.weight'], w[f'{name}.bias'])
    states = np.zeros((layers, heads, head_dim, head_dim))
    time_before, channel_before = np.zeros((2, layers, hidden))
    logits = []
    for token in tokens:
        x = norm(w['token_embd.weight'][token], 'token_embd_norm')
        first_values = None
        for i in range(layers):
            mix = lambda name: w[f'blk.{i}.time_mix_{name}.weight']
            n = norm(x, f'blk.{i}.attn_norm')
            xr, xw, xk, xv, xa, xg = n + (time_before[i] - n) * mix('lerp_fused').reshape(6, hidden)
            time_before[i] = n
            r, k, v = mix('receptance') @ xr, mix('key') @ xk, mix('value') @ xv
            decay = np.exp(-np.exp(-0.5) * sigmoid(mix('w0') + mix('w2') @ np.tanh(mix('w1') @ xw)))
            a = sigmoid(mix('a0') + mix('a2') @ (mix('a1') @ xa))
            g = mix('g2') @ sigmoid(mix('g1') @ xg)
            if first_values is None: first_values = v
            else: v = v + (first_values - v) * sigmoid(mix('v0') + mix('v2') @ (mix('v1') @ xv))
            kk = (k * mix('k_k')).reshape(heads, head_dim)
            kk = kk / np.maximum(np.linalg.norm(kk, axis=1, keepdims=True), 1e-12)
            k = k * (1 + (a - 1) * mix('k_a'))
            r, k, v, a, decay = (y.reshape(heads, head_dim) for y in (r, k, v, a, decay))
            # S [value][key]: S ← S diag(decay) − S κ (κ ⊙ a)ᵀ + v kᵀ
            s = states[i]
            s = s * decay[:, None, :] - (s @ kk[:, :, None]) * (kk * a)[:, None, :] + v[:, :, None] * k[:, None, :]
            states[i] = s
            y = (s @ r[:, :, None])[:, :, 0]
            y = layer_norm(y, mix('ln').reshape(heads, head_dim), w[f'blk.{i}.time_mix_ln.bias'].reshape(heads, head_dim), 64e-5)
            y = y + (r * k * mix('r_k').reshape(heads, head_dim)).sum(1, keepdims=True) * v
            x = x + mix('output') @ (y.reshape(-1) * g)
            n = norm(x, f'blk.{i}.attn_norm_2')
            mixed = n + (channel_before[i] - n) * w[f'blk.{i}.channel_mix_lerp_k.weight'].reshape(-1)
            channel_before[i] = n
            x = x + w[f'blk.{i}.channel_mix_value.weight'] @ np.maximum(w[f'blk.{i}.channel_mix_key.weight'] @ mixed, 0) ** 2
        logits.append(w['output.weight'] @ norm(x, 'output_norm'))
    return np.array(logits)


def write(path, weights):
    writer = gguf.GGUFWriter(str(path), 'rwkv7')
    numbers = {'context_length': 512, 'embedding_length': hidden, 'block_count': layers, 'feed_forward_length': width, 'wkv.head_size': head_dim,
               'attention.head_count': 0, 'attention.decay_lora_rank': ranks['w'], 'attention.iclr_lora_rank': ranks['a'],
               'attention.value_residual_mix_lora_rank': ranks['v'], 'attention.gate_lora_rank': ranks['g']}
    for key, value in numbers.items(): writer.add_uint32(f'rwkv7.{key}', value)
    writer.add_float32('rwkv7.attention.layer_norm_epsilon', 1e-5)
    writer.add_string('general.name', 'Tiny random model')
    writer.add_tokenizer_model('rwkv')
    words = [bytes([byte]) for byte in range(256)] + [word.encode() for word in ('the', ' the', '\n\n', 'there', 'Hello', ' world', '日本', '    ', 'ing', 'and', ' and', 'User', 'Assistant', ': ', '。')]
    writer.add_token_list(['<s>'] + [repr(word)[2:-1] for word in words])
    writer.add_token_types([3] + [1] * len(words))
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    writer.add_unk_token_id(0)
    writer.add_eot_token_id(1 + words.index(b'\n\n'))
    for name, values in weights.items():
        kind = half if values.ndim == 2 else gguf.GGMLQuantizationType.F32
        writer.add_tensor(name, gguf.quants.quantize(np.ascontiguousarray(values, dtype=np.float32), kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == '__main__':
    weights = draw()
    write(folder / 'rwkv7.gguf', weights)
    tokens = random.integers(1, 257, 300).tolist()
    positions = [0, 1, 6, 7, 62, 63, 64, 65, 127, 128, 199, 255, 256, 257, 299]
    logits = forward(weights, tokens)[positions].astype('<f4')
    case = {'contextTokens': 512, 'tokens': tokens, 'positions': positions, 'logits': base64.b64encode(logits.tobytes()).decode()}
    (folder / 'rwkv7.json').write_text(json.dumps({'cases': [case]}, separators=(',', ':')) + '\n')
    print(f'rwkv7: {(folder / "rwkv7.gguf").stat().st_size} bytes, logits of deviation {logits.std():.2f}')
