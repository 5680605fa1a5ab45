"""
A tiny random laLTE (arXiv 2510.20787) as a GGUF file with Longleaf's own names, and its logits as the paper defines them,
in double precision with every token at hand: the network's convolutions over the whole sequence, then for each row a mask.

    pip install numpy gguf
    python engine/testdata/families/lalte.py

Writes lalte.gguf and lalte.json beside this file, in the form of make.py.
"""
import base64
import json
import zlib
from pathlib import Path

import gguf
import numpy as np

from rwkv7 import around, half, rounded, sigmoid

folder = Path(__file__).parent
vocabulary, hidden, width, layers, heads, kv_heads, head_dim = 259, 64, 96, 4, 4, 2, 32
delta_heads, delta_dim, taps = 2, 32, 4
window, budget, sinks = 24, 16, 2
random = np.random.default_rng(zlib.crc32(b'lalte'))


def matrix(outputs, inputs, scale=1.5):
    return rounded(random.standard_normal((outputs, inputs)) * scale / np.sqrt(inputs))


def draw():
    weights = {'token_embd.weight': rounded(random.standard_normal((vocabulary, hidden))), 'output_norm.weight': around(1, 0.2, hidden), 'output.weight': matrix(vocabulary, hidden)}
    for i in range(layers):
        blk = f'blk.{i}.'
        weights |= {blk + 'attn_norm.weight': around(1, 0.2, hidden), blk + 'ffn_norm.weight': around(1, 0.2, hidden), blk + 'ffn_gate.weight': matrix(width, hidden),
                    blk + 'ffn_up.weight': matrix(width, hidden), blk + 'ffn_down.weight': matrix(hidden, width)}
        if i % 2 == 0:
            inner = delta_heads * delta_dim
            weights |= {blk + 'attn_qkv.weight': matrix(3 * inner, hidden), blk + 'attn_gate.weight': matrix(inner, hidden), blk + 'ssm_alpha.weight': matrix(delta_heads, hidden),
                        blk + 'ssm_beta.weight': matrix(delta_heads, hidden), blk + 'ssm_conv1d.weight': around(0, 0.5, 3 * inner, taps), blk + 'ssm_a': -np.exp(around(-2, 1, delta_heads)),
                        blk + 'ssm_dt.bias': around(0, 1, delta_heads), blk + 'ssm_norm.weight': around(1, 0.2, delta_dim), blk + 'ssm_out.weight': matrix(hidden, inner)}
            continue
        weights |= {blk + 'attn_q.weight': matrix(heads * head_dim, hidden), blk + 'attn_k.weight': matrix(kv_heads * head_dim, hidden),
                    blk + 'attn_v.weight': matrix(kv_heads * head_dim, hidden), blk + 'attn_output.weight': matrix(hidden, heads * head_dim)}
        widths = [2 * head_dim, head_dim, head_dim // 2, head_dim // 4]
        for stage, (inputs, outputs) in enumerate(zip(widths, widths[1:]), 1):
            weights |= {blk + f'evict_conv{stage}.weight': around(0, 2 / np.sqrt(3 * inputs), kv_heads * outputs, inputs, 3), blk + f'evict_conv{stage}.bias': around(0, 0.2, kv_heads * outputs)}
        # About half of all tokens are worth keeping, which is more than there is room for.
        weights |= {blk + 'evict_score.weight': around(0, 1, kv_heads, widths[3]), blk + 'evict_score.bias': around(0, 0.1, kv_heads)}
    return weights


def rms(x, weight, epsilon=1e-5): return x / np.sqrt((x ** 2).mean(-1, keepdims=True) + epsilon) * weight
def silu(x): return x * sigmoid(x)


def delta(n, w):
    inner = delta_heads * delta_dim
    projected = n @ w('attn_qkv.weight').T
    padded = np.concatenate([np.zeros((taps - 1, 3 * inner)), projected])
    convolved = silu(sum(padded[tap:tap + len(n)] * w('ssm_conv1d.weight')[:, tap] for tap in range(taps)))
    q, k, v = (part.reshape(-1, delta_heads, delta_dim) for part in np.split(convolved, 3, axis=1))
    q, k = (x / np.sqrt((x ** 2).sum(-1, keepdims=True) + 1e-6) for x in (q, k))
    q = q / np.sqrt(delta_dim)
    decay = np.exp(w('ssm_a') * np.logaddexp(0, n @ w('ssm_alpha.weight').T + w('ssm_dt.bias')))
    beta = sigmoid(n @ w('ssm_beta.weight').T)
    state, out = np.zeros((delta_heads, delta_dim, delta_dim)), []
    for t in range(len(n)):
        state = decay[t][:, None, None] * state
        state = state + k[t][:, :, None] * (beta[t][:, None] * (v[t] - np.einsum('hkv,hk->hv', state, k[t])))[:, None, :]
        out.append(np.einsum('hkv,hk->hv', state, q[t]))
    gate = (n @ w('attn_gate.weight').T).reshape(-1, delta_heads, delta_dim)
    return (rms(np.array(out), w('ssm_norm.weight')) * silu(gate)).reshape(len(n), inner) @ w('ssm_out.weight').T


def scores(rows, w, head):
    """rows [tokens][2 · head_dim]; convolutions along the tokens with 0 before the first and behind the last."""
    for stage in (1, 2, 3):
        weight = np.split(w(f'evict_conv{stage}.weight'), kv_heads)[head]
        padded = np.pad(rows, ((2, 2), (0, 0)))
        rows = silu(sum(padded[2 * tap:2 * tap + len(rows)] @ weight[:, :, tap].T for tap in range(3)) + np.split(w(f'evict_conv{stage}.bias'), kv_heads)[head])
    return rows @ w('evict_score.weight')[head] + w('evict_score.bias')[head]


def evicting(n, w):
    tokens = len(n)
    q, k, v = ((n @ w(f'attn_{name}.weight').T).reshape(tokens, -1, head_dim) for name in 'qkv')
    angles = np.arange(tokens)[:, None] * 10_000.0 ** (-2 * np.arange(head_dim // 2) / head_dim)
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    def rope(x):
        a, b = np.split(x, 2, axis=-1)
        return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)
    qr, kr = rope(q) / np.sqrt(head_dim), rope(k)
    out, most = np.zeros((tokens, heads, head_dim)), 0
    for kv in range(kv_heads):
        score = scores(np.concatenate([k[:, kv], v[:, kv]], axis=1), w, kv)
        score[:sinks] = np.inf
        for t in range(tokens):
            left = np.arange(max(0, t - window + 1))
            wanted = left[score[left] > 0]
            most = max(most, len(wanted))
            kept = sorted(wanted, key=lambda token: (-score[token], token))[:budget]
            seen = np.array([*kept, *range(len(left), t + 1)])
            for head in range(kv * heads // kv_heads, (kv + 1) * heads // kv_heads):
                logits = kr[seen, kv] @ qr[t, head]
                shares = np.exp(logits - logits.max())
                out[t, head] = shares / shares.sum() @ v[seen, kv]
    print(f'worth keeping: up to {most} of {tokens - window + 1}, room for {budget}')
    return out.reshape(tokens, -1) @ w('attn_output.weight').T


def forward(weights, tokens):
    weights = {name: values.astype(np.float64) for name, values in weights.items()}
    x = weights['token_embd.weight'][tokens]
    for i in range(layers):
        w = lambda name: weights[f'blk.{i}.{name}']
        n = rms(x, w('attn_norm.weight'))
        x = x + (delta(n, w) if i % 2 == 0 else evicting(n, w))
        n = rms(x, w('ffn_norm.weight'))
        x = x + (silu(n @ w('ffn_gate.weight').T) * (n @ w('ffn_up.weight').T)) @ w('ffn_down.weight').T
    return rms(x, weights['output_norm.weight']) @ weights['output.weight'].T


def byte_vocabulary():
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) if byte in printable else chr(256 + rest.index(byte)) for byte in range(256)] + ['<|endoftext|>', '<|im_start|>', '<|im_end|>']


def write(name, architecture, weights, metadata):
    """A GGUF file with the tokenizer of make.py's models; matrices in F16, all else as it is."""
    writer = gguf.GGUFWriter(str(folder / f'{name}.gguf'), architecture)
    for key, value in metadata.items(): (writer.add_float32 if isinstance(value, float) else writer.add_uint32)(f'{architecture}.{key}', value)
    writer.add_string('general.name', 'Tiny random model')
    writer.add_tokenizer_model('gpt2')
    writer.add_tokenizer_pre('gpt-2')
    writer.add_token_list(byte_vocabulary())
    writer.add_token_types([1] * 256 + [3] * 3)
    writer.add_token_merges([f'{byte_vocabulary()[0]} {byte_vocabulary()[1]}'])
    writer.add_eos_token_id(258)
    writer.add_add_bos_token(False)
    for tensor, values in weights.items():
        kind = half if values.ndim == 2 and 'conv' not in tensor and 'evict' not in tensor else gguf.GGMLQuantizationType.F32
        writer.add_tensor(tensor, gguf.quants.quantize(np.ascontiguousarray(values, dtype=np.float32), kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def golden(name, tokens, logits):
    positions = [0, 1, 6, 7, 62, 63, 64, 65, 127, 128, 199, 255, 256, 257, 299]
    kept = logits[positions].astype('<f4')
    case = {'contextTokens': 512, 'tokens': tokens, 'positions': positions, 'logits': base64.b64encode(kept.tobytes()).decode()}
    (folder / f'{name}.json').write_text(json.dumps({'cases': [case]}, separators=(',', ':')) + '\n')
    print(f'{name}: {(folder / f"{name}.gguf").stat().st_size} bytes, logits of deviation {kept.std():.2f}')


def common():
    return {'context_length': 512, 'embedding_length': hidden, 'block_count': layers, 'feed_forward_length': width, 'attention.head_count': heads, 'attention.head_count_kv': kv_heads,
            'attention.key_length': head_dim, 'attention.value_length': head_dim, 'attention.layer_norm_rms_epsilon': 1e-5, 'rope.dimension_count': head_dim, 'rope.freq_base': 10_000.0}


if __name__ == '__main__':
    weights = draw()
    delta_sizes = {'ssm.conv_kernel': taps, 'ssm.state_size': delta_dim, 'ssm.group_count': delta_heads, 'ssm.time_step_rank': delta_heads, 'ssm.inner_size': delta_heads * delta_dim}
    write('lalte', 'lalte', weights, {**common(), **delta_sizes, 'evicting.window': window, 'evicting.budget': budget, 'evicting.sinks': sinks})
    tokens = random.integers(0, 256, 300).tolist()
    golden('lalte', tokens, forward(weights, tokens))
