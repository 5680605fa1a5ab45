"""
A Qwen3.5-shaped model (Gated DeltaNet, and attention in every fourth layer) with random weights, for measuring speed
where no real weights are. Written in pieces, so that any size is made in little memory; plain Python.

    python3 bench/families/syntheticHybrid.py FILE.gguf [--type q4_0|q8_0] [--shape 4b|tiny] [--context 262144]

The shape `4b` has the published sizes of Qwen3.5-4B (hidden 2560, 32 layers, feed-forward 9216, 16 query heads over 4 of
256) with the states of the 9B (16 key heads and 32 value heads of 128). Weights have the deviation 1/√inputs, so that
hidden numbers keep their size; norms are 1, decays lie between e^−0.05 and e^−2.
"""
import argparse
import math
import os
import random
import struct

shapes = {
    '4b': dict(hidden=2560, layers=32, width=9216, heads=16, kv_heads=4, head_dim=256, key_heads=16, value_heads=32, state=128, vocabulary=248_320),
    'tiny': dict(hidden=128, layers=4, width=256, heads=2, kv_heads=1, head_dim=64, key_heads=2, value_heads=4, state=32, vocabulary=1024),
}
# ggml's number of a type, weights and bytes of a block, and the deviation of its codes.
types = {'f32': (0, 1, 4, 1.0), 'q4_0': (2, 32, 18, 4.61), 'q8_0': (8, 32, 34, 73.9)}
taps = 4


def text(value):
    data = value.encode()
    return struct.pack('<Q', len(data)) + data


def entry(key, value):
    if isinstance(value, bool): return text(key) + struct.pack('<I?', 7, value)
    if isinstance(value, int): return text(key) + struct.pack('<II', 4, value)
    if isinstance(value, float): return text(key) + struct.pack('<If', 6, value)
    if isinstance(value, str): return text(key) + struct.pack('<I', 8) + text(value)
    if isinstance(value[0], str): return text(key) + struct.pack('<IIQ', 9, 8, len(value)) + b''.join(map(text, value))
    return text(key) + struct.pack(f'<IIQ{len(value)}i', 9, 5, len(value), *value)


def metadata(s, context):
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in printable]
    bytes_ = [chr(byte) if byte in printable else chr(256 + rest.index(byte)) for byte in range(256)]
    model = {'block_count': s['layers'], 'context_length': context, 'embedding_length': s['hidden'], 'feed_forward_length': s['width'],
             'attention.head_count': s['heads'], 'attention.head_count_kv': s['kv_heads'], 'attention.key_length': s['head_dim'], 'attention.value_length': s['head_dim'],
             'attention.layer_norm_rms_epsilon': 1e-6, 'rope.dimension_count': s['head_dim'] // 4, 'rope.freq_base': 1e7, 'full_attention_interval': 4,
             'rope.dimension_sections': [s['head_dim'] // 24 + 1] * 2 + [s['head_dim'] // 8 - 2 * (s['head_dim'] // 24 + 1), 0],
             'ssm.conv_kernel': taps, 'ssm.state_size': s['state'], 'ssm.group_count': s['key_heads'], 'ssm.time_step_rank': s['value_heads'],
             'ssm.inner_size': s['value_heads'] * s['state'], 'vocab_size': s['vocabulary']}
    tokens = bytes_ + [f'<t{i}>' for i in range(256, s['vocabulary'] - 2)] + ['<|endoftext|>', '<|im_end|>']
    return {'general.architecture': 'qwen35', 'general.name': 'synthetic qwen35', **{f'qwen35.{key}': value for key, value in model.items()},
            'tokenizer.ggml.model': 'gpt2', 'tokenizer.ggml.pre': 'gpt-2', 'tokenizer.ggml.tokens': tokens, 'tokenizer.ggml.token_type': [1] * (s['vocabulary'] - 2) + [3, 3],
            'tokenizer.ggml.merges': [f'{bytes_[0]} {bytes_[1]}'], 'tokenizer.ggml.eos_token_id': s['vocabulary'] - 1, 'tokenizer.ggml.add_bos_token': False}


def tensors(s, type_):
    """(name, dimensions with the inputs first, type, f32 numbers or None for random codes)"""
    hidden, inner, keys = s['hidden'], s['value_heads'] * s['state'], s['key_heads'] * s['state']
    channels = 2 * keys + inner
    ones = lambda name, count: (name, [count], 'f32', [1.0] * count)
    matrix = lambda name, inputs, outputs: (name, [inputs, outputs], type_, None)
    yield matrix('token_embd.weight', hidden, s['vocabulary'])
    yield ones('output_norm.weight', hidden)
    for layer in range(s['layers']):
        blk = f'blk.{layer}.'
        yield ones(blk + 'attn_norm.weight', hidden)
        if layer % 4 == 3:
            attended = s['heads'] * s['head_dim']
            yield matrix(blk + 'attn_q.weight', hidden, 2 * attended)
            yield matrix(blk + 'attn_k.weight', hidden, s['kv_heads'] * s['head_dim'])
            yield matrix(blk + 'attn_v.weight', hidden, s['kv_heads'] * s['head_dim'])
            yield matrix(blk + 'attn_output.weight', attended, hidden)
            yield ones(blk + 'attn_q_norm.weight', s['head_dim'])
            yield ones(blk + 'attn_k_norm.weight', s['head_dim'])
        else:
            heads = s['value_heads']
            yield matrix(blk + 'attn_qkv.weight', hidden, channels)
            yield matrix(blk + 'attn_gate.weight', hidden, inner)
            yield matrix(blk + 'ssm_alpha.weight', hidden, heads)
            yield matrix(blk + 'ssm_beta.weight', hidden, heads)
            yield (blk + 'ssm_conv1d.weight', [taps, channels], 'f32', [random.gauss(0, 0.5) for _ in range(taps * channels)])
            yield (blk + 'ssm_a', [heads], 'f32', [-0.05 * 40 ** (head / heads) for head in range(heads)])
            yield (blk + 'ssm_dt.bias', [heads], 'f32', [0.0] * heads)
            yield ones(blk + 'ssm_norm.weight', s['state'])
            yield matrix(blk + 'ssm_out.weight', inner, hidden)
        yield ones(blk + 'post_attention_norm.weight', hidden)
        yield matrix(blk + 'ffn_gate.weight', hidden, s['width'])
        yield matrix(blk + 'ffn_up.weight', hidden, s['width'])
        yield matrix(blk + 'ffn_down.weight', s['width'], hidden)


def write_random(file, blocks, block_bytes, scale):
    """Random codes under one scale, the block's first half-precision number."""
    low, high = struct.pack('<e', scale)
    piece = min(blocks, 1 << 20)
    data = bytearray(os.urandom(piece * block_bytes))
    data[0::block_bytes] = bytes([low]) * piece
    data[1::block_bytes] = bytes([high]) * piece
    for first in range(0, blocks, piece):
        file.write(data[: min(piece, blocks - first) * block_bytes])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('path')
    parser.add_argument('--type', choices=['q4_0', 'q8_0'], default='q4_0')
    parser.add_argument('--shape', choices=list(shapes), default='4b')
    parser.add_argument('--context', type=int, default=262_144)
    asked = parser.parse_args()
    random.seed(0)
    shape = shapes[asked.shape]
    entries = [entry(key, value) for key, value in metadata(shape, asked.context).items()]
    all_tensors = list(tensors(shape, asked.type))
    infos, offset = [], 0
    for name, dims, type_, _ in all_tensors:
        number, weights, size, _ = types[type_]
        infos.append(text(name) + struct.pack(f'<I{len(dims)}QIQ', len(dims), *dims, number, offset))
        offset += -(-math.prod(dims) // weights * size // 32) * 32
    with open(asked.path, 'wb') as file:
        file.write(b'GGUF' + struct.pack('<IQQ', 3, len(all_tensors), len(entries)) + b''.join(entries) + b''.join(infos))
        for name, dims, type_, values in all_tensors:
            file.write(bytes(-file.tell() % 32))
            _, weights, size, deviation = types[type_]
            if values is None: write_random(file, math.prod(dims) // weights, size, 1 / math.sqrt(dims[0]) / deviation)
            else: file.write(struct.pack(f'<{len(values)}f', *values))
        file.write(bytes(-file.tell() % 32))
    print(f'{asked.path}: {os.path.getsize(asked.path)} bytes')


if __name__ == '__main__':
    main()
