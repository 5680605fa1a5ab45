"""
A tiny random laNSA (arXiv 2510.20787: Gated DeltaNet and native sparse attention) as a GGUF file with Longleaf's own names,
and its logits as the definition has them, in double precision.

    pip install numpy gguf
    python engine/testdata/families/lansa.py

Writes lansa.gguf and lansa.json beside this file, in the form of make.py.
"""
import zlib

import numpy as np

import lalte
from lalte import common, delta, delta_dim, delta_heads, golden, head_dim, heads, hidden, kv_heads, layers, matrix, rms, silu, taps, write
from rwkv7 import sigmoid

block, chosen, window = 8, 5, 12


def draw():
    lalte.random = np.random.default_rng(zlib.crc32(b'lansa'))
    weights = {name: values for name, values in lalte.draw().items() if 'evict' not in name}
    for i in range(1, layers, 2): weights[f'blk.{i}.attn_branch_gate.weight'] = matrix(3 * heads, hidden)
    return weights


def softmax(x):
    shares = np.exp(x - x.max())
    return shares / shares.sum()


def sparse(n, w):
    tokens = len(n)
    q, k, v = ((n @ w(f'attn_{name}.weight').T).reshape(tokens, -1, head_dim) for name in 'qkv')
    gates = sigmoid(n @ w('attn_branch_gate.weight').T).reshape(tokens, heads, 3)
    angles = np.arange(tokens)[:, None] * 10_000.0 ** (-2 * np.arange(head_dim // 2) / head_dim)
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    def rope(x):
        a, b = np.split(x, 2, axis=-1)
        return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)
    q, k = rope(q) / np.sqrt(head_dim), rope(k)
    whole = tokens // block
    mean_k, mean_v = (x[:whole * block].reshape(whole, block, kv_heads, head_dim).mean(1) for x in (k, v))
    out, group = np.zeros((tokens, heads, head_dim)), heads // kv_heads
    for t in range(tokens):
        seen, last = (t + 1) // block, t // block
        for kv in range(kv_heads):
            members = range(kv * group, (kv + 1) * group)
            shares = {head: softmax(mean_k[:seen, kv] @ q[t, head]) if seen else np.zeros(0) for head in members}
            importance = sum(shares.values())
            always = list(dict.fromkeys(b for b in (last, last - 1, 0) if b >= 0))
            others = sorted((b for b in range(seen) if b not in always), key=lambda b: (-importance[b], b))
            picked = always + others[:chosen - len(always)]
            near = [token for b in picked for token in range(b * block, (b + 1) * block) if token <= t]
            for head in members:
                out[t, head] = gates[t, head, 0] * (shares[head] @ mean_v[:seen, kv]) if seen else 0
                for branch, rows in ((1, near), (2, range(max(0, t - window + 1), t + 1))):
                    rows = list(rows)
                    out[t, head] += gates[t, head, branch] * (softmax(k[rows, kv] @ q[t, head]) @ v[rows, kv])
    return out.reshape(tokens, -1) @ w('attn_output.weight').T


def forward(weights, tokens):
    weights = {name: values.astype(np.float64) for name, values in weights.items()}
    x = weights['token_embd.weight'][tokens]
    for i in range(layers):
        w = lambda name: weights[f'blk.{i}.{name}']
        n = rms(x, w('attn_norm.weight'))
        x = x + (delta(n, w) if i % 2 == 0 else sparse(n, w))
        n = rms(x, w('ffn_norm.weight'))
        x = x + (silu(n @ w('ffn_gate.weight').T) * (n @ w('ffn_up.weight').T)) @ w('ffn_down.weight').T
    return rms(x, weights['output_norm.weight']) @ weights['output.weight'].T


if __name__ == '__main__':
    weights = draw()
    delta_sizes = {'ssm.conv_kernel': taps, 'ssm.state_size': delta_dim, 'ssm.group_count': delta_heads, 'ssm.time_step_rank': delta_heads, 'ssm.inner_size': delta_heads * delta_dim}
    write('lansa', 'lansa', weights, {**common(), **delta_sizes, 'sparse.block': block, 'sparse.chosen': chosen, 'sparse.window': window})
    tokens = lalte.random.integers(0, 256, 300).tolist()
    golden('lansa', tokens, forward(weights, tokens))
