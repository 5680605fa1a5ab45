"""
Makes a tiny random model of each family as a GGUF file, with llama.cpp's tensor names and metadata, and the logits that
transformers computes for it: what Longleaf's families are tested against.

    pip install torch transformers gguf
    python engine/testdata/families/make.py [NAME…]

Writes NAME.gguf and NAME.json beside this file. Seeds are fixed, but other versions of torch may draw other numbers.
NAME.json: {"cases": [{"contextTokens", "tokens", "positions", "logits"}]}; logits [positions][vocabulary] f32, base64.
"""
import base64
import json
import math
import sys
import zlib
from pathlib import Path

import gguf
import numpy as np
import torch
import transformers

folder = Path(__file__).parent
vocabulary = 259
hidden, width, heads, kv_heads, head_dim = 64, 96, 4, 2, 32
families = {}


def family(make):
    """make() → (model of transformers, its architecture in GGUF, options of `write`)."""
    families[make.__name__] = make
    return make


def sizes(**more):
    common = dict(vocab_size=vocabulary, hidden_size=hidden, intermediate_size=width, num_hidden_layers=2, num_attention_heads=heads,
                  num_key_value_heads=kv_heads, head_dim=head_dim, max_position_embeddings=512, rms_norm_eps=1e-5,
                  bos_token_id=256, eos_token_id=258, pad_token_id=256, attn_implementation='eager')
    return {**common, **more}


@family
def llama():
    rope = dict(rope_type='llama3', rope_theta=10_000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes(rope_parameters=rope, tie_word_embeddings=True)))
    return model, 'llama', dict(permuted=True, extra={'rope_freqs.weight': llama3_divisors(rope)})


@family
def gemma3():
    rope = dict(full_attention=dict(rope_type='linear', rope_theta=1e6, factor=8.0), sliding_attention=dict(rope_type='default', rope_theta=1e4))
    config = transformers.Gemma3TextConfig(**sizes(sliding_window=40, layer_types=['sliding_attention', 'full_attention'], query_pre_attn_scalar=head_dim, rope_parameters=rope))
    metadata = {'attention.sliding_window': 40, 'attention.sliding_window_pattern': 2, 'rope.scaling.type': 'linear', 'rope.scaling.factor': 8.0, 'rope.freq_base': 1e6}
    return transformers.Gemma3ForCausalLM(config), 'gemma3', dict(metadata=metadata, norm_offset=1.0)


@family
def qwen2():
    config = transformers.Qwen2Config(**sizes(num_attention_heads=2, num_key_value_heads=1, rope_parameters=dict(rope_type='default', rope_theta=1e6), tie_word_embeddings=True))
    return transformers.Qwen2ForCausalLM(config), 'qwen2', dict(metadata={'rope.freq_base': 1e6})


@family
def qwen3():
    rope = dict(rope_type='yarn', rope_theta=10_000.0, factor=4.0, original_max_position_embeddings=128)
    model = transformers.Qwen3ForCausalLM(transformers.Qwen3Config(**sizes(rope_parameters=rope, tie_word_embeddings=False)))
    return model, 'qwen3', dict(metadata={'rope.scaling.type': 'yarn', 'rope.scaling.factor': 4.0, 'rope.scaling.original_context_length': 128})


@family
def qwen3moe():
    config = transformers.Qwen3MoeConfig(**sizes(moe_intermediate_size=32, num_experts=10, num_experts_per_tok=3, norm_topk_prob=True, decoder_sparse_step=1,
                                                 mlp_only_layers=[], rope_parameters=dict(rope_type='default', rope_theta=1e4)))
    metadata = {'expert_count': 10, 'expert_used_count': 3, 'expert_feed_forward_length': 32}
    return transformers.Qwen3MoeForCausalLM(config), 'qwen3moe', dict(metadata=metadata, type='Q8_0')


@family
def qwen2moe():
    config = transformers.Qwen2MoeConfig(**sizes(num_attention_heads=2, num_key_value_heads=1, moe_intermediate_size=32, shared_expert_intermediate_size=64, num_experts=6,
                                                 num_experts_per_tok=2, norm_topk_prob=False, decoder_sparse_step=1, mlp_only_layers=[], rope_parameters=dict(rope_type='default', rope_theta=1e4)))
    metadata = {'expert_count': 6, 'expert_used_count': 2, 'expert_feed_forward_length': 32, 'expert_shared_feed_forward_length': 64}
    return transformers.Qwen2MoeForCausalLM(config), 'qwen2moe', dict(metadata=metadata, type='Q4_1')


@family
def granitemoe():
    scales = dict(embedding_multiplier=3.0, attention_multiplier=0.1, residual_multiplier=0.22, logits_scaling=0.5)
    config = transformers.GraniteMoeSharedConfig(**sizes(**scales, num_attention_heads=2, num_key_value_heads=1, intermediate_size=32, shared_intermediate_size=64, num_local_experts=6,
                                                         num_experts_per_tok=3, rope_parameters=dict(rope_type='default', rope_theta=1e4)))
    metadata = {'embedding_scale': 3.0, 'attention.scale': 0.1, 'residual_scale': 0.22, 'logit_scale': 0.5, 'expert_count': 6, 'expert_used_count': 3, 'expert_shared_feed_forward_length': 64}
    renamed = {'block_sparse_moe.router': 'mlp.gate', 'block_sparse_moe': 'mlp', 'shared_mlp.input_linear': 'mlp.shared_expert.gate_up_proj', 'shared_mlp.output_linear': 'mlp.shared_expert.down_proj'}
    return transformers.GraniteMoeSharedForCausalLM(config), 'granitemoe', dict(permuted=True, metadata=metadata, renamed=renamed)


@family
def phi3():
    pairs = head_dim * 3 // 8
    rope = dict(rope_type='longrope', rope_theta=10_000.0, partial_rotary_factor=0.75, original_max_position_embeddings=256,
                short_factor=[1.0 + 0.05 * i for i in range(pairs)], long_factor=[1.0 + 0.6 * i for i in range(pairs)])
    config = transformers.Phi3Config(**sizes(num_attention_heads=2, num_key_value_heads=1, original_max_position_embeddings=256, rope_parameters=rope))
    metadata = {'rope.scaling.type': 'longrope', 'rope.scaling.original_context_length': 256, 'rope.dimension_count': 2 * pairs,
                'rope.scaling.attn_factor': math.sqrt(1 + math.log(2) / math.log(256)), 'attention.sliding_window': 0}
    extra = {'rope_factors_short.weight': rope['short_factor'], 'rope_factors_long.weight': rope['long_factor']}
    return transformers.Phi3ForCausalLM(config), 'phi3', dict(metadata=metadata, extra=extra, contexts=[512, 256])


@family
def smollm3():
    config = transformers.SmolLM3Config(**sizes(num_hidden_layers=4, use_sliding_window=False, rope_parameters=dict(rope_type='default', rope_theta=5e6)))
    return transformers.SmolLM3ForCausalLM(config), 'smollm3', dict(permuted=True, metadata={'rope.freq_base': 5e6})


@family
def granite():
    scales = dict(embedding_multiplier=3.0, attention_multiplier=0.1, residual_multiplier=0.22, logits_scaling=0.5)
    model = transformers.GraniteForCausalLM(transformers.GraniteConfig(**sizes(**scales, rope_parameters=dict(rope_type='default', rope_theta=1e4))))
    metadata = {'embedding_scale': 3.0, 'attention.scale': 0.1, 'residual_scale': 0.22, 'logit_scale': 0.5}
    return model, 'granite', dict(permuted=True, metadata=metadata)


@family
def mistral3():
    rope = dict(rope_type='yarn', rope_theta=1e6, factor=16.0, original_max_position_embeddings=32, max_position_embeddings=512, beta_fast=32.0, beta_slow=1.0,
                mscale=1.0, mscale_all_dim=1.0, llama_4_scaling_beta=0.1)
    model = transformers.Ministral3ForCausalLM(transformers.Ministral3Config(**sizes(rope_parameters=rope)))
    metadata = {'rope.freq_base': 1e6, 'rope.scaling.type': 'yarn', 'rope.scaling.factor': 16.0, 'rope.scaling.original_context_length': 32,
                'rope.scaling.yarn_beta_fast': 32.0, 'rope.scaling.yarn_beta_slow': 1.0, 'rope.scaling.yarn_log_multiplier': 1.0, 'attention.temperature_scale': 0.1}
    return model, 'mistral3', dict(permuted=True, metadata=metadata)


def llama3_divisors(rope):
    """What divides each frequency, as llama.cpp's converter writes it."""
    short, long = rope['original_max_position_embeddings'] / rope['high_freq_factor'], rope['original_max_position_embeddings'] / rope['low_freq_factor']

    def divisor(pair):
        length = 2 * math.pi * rope['rope_theta'] ** (2 * pair / head_dim)
        if length < short: return 1.0
        if length > long: return rope['factor']
        smooth = (rope['original_max_position_embeddings'] / length - rope['low_freq_factor']) / (rope['high_freq_factor'] - rope['low_freq_factor'])
        return 1 / ((1 - smooth) / rope['factor'] + smooth)
    return [divisor(pair) for pair in range(head_dim // 2)]


def draw(model, type):
    """Weights large enough that every part of the model shows in the logits, and exact in the file's type."""
    for name, weight in model.named_parameters():
        values = torch.randn_like(weight)
        if weight.dim() == 1:
            # Norms, around what leaves a number as it is; biases and other vectors, around 0.
            norm = 'norm' in name
            weight.data = 0.2 * values if not norm else weight.data + 0.2 * values
            continue
        scale = 1.0 if 'embed_tokens' in name else 1.5 / math.sqrt(weight.shape[-1])
        weight.data = torch.from_numpy(rounded((scale * values).numpy(), type_of(name, weight, type)))


def type_of(name, weight, type):
    """Routers and convolutions stay as they are, like in real files."""
    kept = weight.dim() < 2 or 'conv1d' in name or name.endswith(('mlp.gate.weight', 'router.weight', 'shared_expert_gate.weight'))
    return gguf.GGMLQuantizationType.F32 if kept else gguf.GGMLQuantizationType[type]


def rounded(values, type):
    return gguf.quants.dequantize(gguf.quants.quantize(values, type), type).reshape(values.shape).astype(np.float32)


def permute(weight, count):
    """Rows of a head from halves that rotate together to pairs that do."""
    return weight.reshape(count, 2, weight.shape[0] // count // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def tensors_of(model, architecture, options):
    """(name in GGUF, values, type) of every weight."""
    if 'tensors' in options:
        yield from options['tensors'](model)
        return
    config = model.config
    names = gguf.get_tensor_name_map({name: arch for arch, name in gguf.MODEL_ARCH_NAMES.items()}[architecture], config.num_hidden_layers)
    tied = config.tie_word_embeddings
    for name, weight in model.named_parameters():
        values, type = weight.detach().numpy(), type_of(name, weight, options.get('type', 'F16'))
        if tied and name == 'lm_head.weight': continue
        for old, new in options.get('renamed', {}).items(): name = name.replace(old, new)
        if 'gate_up_proj' in name and ('experts' in name or 'shared_expert' in name):
            stem = name.removesuffix('.weight').replace('gate_up_proj', '')
            for part, half in zip(('gate_proj', 'up_proj'), np.split(values, 2, axis=-2)):
                yield names.get_name(stem + part) + '.weight', half, type
            continue
        if options.get('permuted') and name.endswith('q_proj.weight'): values = permute(values, config.num_attention_heads)
        if options.get('permuted') and name.endswith('k_proj.weight'): values = permute(values, config.num_key_value_heads)
        if 'norm' in name: values = values + options.get('norm_offset', 0.0)
        stem, _, suffix = name.rpartition('.')
        if suffix not in ('weight', 'bias'): stem, suffix = name, 'weight'
        yield f'{names.get_name(stem)}.{suffix}', values.astype(np.float32), type


def write(path, model, architecture, options):
    config = model.config
    writer = gguf.GGUFWriter(str(path), architecture)
    common = {'block_count': config.num_hidden_layers, 'context_length': config.max_position_embeddings, 'embedding_length': config.hidden_size,
              'feed_forward_length': config.intermediate_size, 'attention.head_count': config.num_attention_heads, 'attention.head_count_kv': config.num_key_value_heads,
              'attention.key_length': head_dim, 'attention.value_length': head_dim, 'attention.layer_norm_rms_epsilon': config.rms_norm_eps,
              'rope.dimension_count': head_dim, 'rope.freq_base': 10_000.0, 'vocab_size': vocabulary}
    for key, value in {**common, **options.get('metadata', {})}.items():
        add = {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32, str: writer.add_string, list: writer.add_array}[type(value)]
        add(f'{architecture}.{key}', value)
    # llama.cpp looks for tokens of Phi where the name has that of Phi.
    writer.add_string('general.name', 'Tiny random model')
    writer.add_tokenizer_model('gpt2')
    writer.add_tokenizer_pre('gpt-2')
    writer.add_token_list(byte_vocabulary())
    writer.add_token_types([1] * 256 + [3] * 3)
    # An empty list would be left out, which readers of tokenizers do not expect. Texts have no such bytes.
    writer.add_token_merges([f'{byte_vocabulary()[0]} {byte_vocabulary()[1]}'])
    writer.add_eos_token_id(258)
    writer.add_add_bos_token(False)
    for name, values, type_ in tensors_of(model, architecture, options):
        writer.add_tensor(name, gguf.quants.quantize(np.ascontiguousarray(values), type_), raw_dtype=type_)
    for name, values in options.get('extra', {}).items():
        writer.add_tensor(name, np.array(values, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def byte_vocabulary():
    """The 256 bytes as GPT-2 spells them, then three control tokens."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) if byte in printable else chr(256 + rest.index(byte)) for byte in range(256)] + ['<|endoftext|>', '<|im_start|>', '<|im_end|>']


def golden(model, context):
    """Prompts longer and shorter than chunks are, with the positions around the chunks' borders."""
    length = min(300, context * 2 // 3)
    tokens = torch.randint(0, 256, (length,)).tolist()
    positions = [p for p in (0, 1, 6, 7, 62, 63, 64, 65, 127, 128, 199, 255, 256, 257) if p < length - 1] + [length - 1]
    with torch.no_grad():
        logits = model(torch.tensor([tokens])).logits[0, positions].float().numpy()
    return {'contextTokens': context, 'tokens': tokens, 'positions': positions, 'logits': base64.b64encode(logits.astype('<f4').tobytes()).decode()}


def make(name):
    torch.manual_seed(zlib.crc32(name.encode()))
    model, architecture, options = families[name]()
    model = model.float().eval()
    draw(model, options.get('type', 'F16'))
    write(folder / f'{name}.gguf', model, architecture, options)
    cases = [golden(model, context) for context in options.get('contexts', [512])]
    (folder / f'{name}.json').write_text(json.dumps({'cases': cases}, separators=(',', ':')) + '\n')
    print(f'{name}: {(folder / f"{name}.gguf").stat().st_size} bytes, logits of deviation {np.frombuffer(base64.b64decode(cases[0]["logits"]), "<f4").std():.2f}')


if __name__ == '__main__':
    torch.set_num_threads(1)
    for wanted in sys.argv[1:] or families:
        make(wanted)
