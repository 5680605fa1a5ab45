"""
The families with layers of constant state, made as make.py makes the others:

    python engine/testdata/families/hybrids.py [NAME…]
"""
import sys

import gguf
import numpy as np
import torch
import transformers

import make
from make import family, head_dim, sizes

plain = gguf.GGMLQuantizationType.F32


def named(model, rename, transform=lambda name, values: values, type='F16'):
    """Every weight that `rename` knows, under the name and with the values that the converter would write."""
    for name, weight in model.named_parameters():
        if name == 'lm_head.weight' and model.config.tie_word_embeddings: continue
        parts = name.split('.')
        inner = '.'.join(parts[3:]) if parts[1] == 'layers' else name
        target = rename[inner]
        values = transform(inner, weight.detach().numpy())
        kind = plain if values.ndim < 2 or 'conv' in target else make.type_of(name, weight, type)
        yield (f'blk.{parts[2]}.{target}' if parts[1] == 'layers' else target), np.ascontiguousarray(values, dtype=np.float32), kind


feed_forward = {'mlp.gate_proj.weight': 'ffn_gate.weight', 'mlp.up_proj.weight': 'ffn_up.weight', 'mlp.down_proj.weight': 'ffn_down.weight'}
attention = {'self_attn.q_proj.weight': 'attn_q.weight', 'self_attn.k_proj.weight': 'attn_k.weight', 'self_attn.v_proj.weight': 'attn_v.weight',
             'self_attn.o_proj.weight': 'attn_output.weight', 'self_attn.q_norm.weight': 'attn_q_norm.weight', 'self_attn.k_norm.weight': 'attn_k_norm.weight'}
outside = {'model.embed_tokens.weight': 'token_embd.weight', 'model.norm.weight': 'output_norm.weight', 'lm_head.weight': 'output.weight'}


key_heads, value_heads, delta_dim = 2, 4, 32
delta_sizes = dict(num_hidden_layers=4, layer_types=['linear_attention'] * 3 + ['full_attention'], linear_num_key_heads=key_heads, linear_num_value_heads=value_heads,
                   linear_key_head_dim=delta_dim, linear_value_head_dim=delta_dim, tie_word_embeddings=True)
delta_metadata = {'full_attention_interval': 4, 'rope.dimension_count': head_dim // 2, 'ssm.conv_kernel': 4, 'ssm.state_size': delta_dim, 'ssm.group_count': key_heads,
                  'ssm.time_step_rank': value_heads, 'ssm.inner_size': value_heads * delta_dim}
delta_rename = {**outside, **attention, **feed_forward, 'input_layernorm.weight': 'attn_norm.weight', 'post_attention_layernorm.weight': 'post_attention_norm.weight',
                'linear_attn.in_proj_qkv.weight': 'attn_qkv.weight', 'linear_attn.in_proj_z.weight': 'attn_gate.weight', 'linear_attn.in_proj_b.weight': 'ssm_beta.weight',
                'linear_attn.in_proj_a.weight': 'ssm_alpha.weight', 'linear_attn.in_proj_ba.weight': 'ssm_ba.weight', 'linear_attn.in_proj_qkvz.weight': 'qkvz',
                'linear_attn.conv1d.weight': 'ssm_conv1d.weight', 'linear_attn.dt_bias': 'ssm_dt.bias', 'linear_attn.A_log': 'ssm_a', 'linear_attn.norm.weight': 'ssm_norm.weight',
                'linear_attn.out_proj.weight': 'ssm_out.weight', 'mlp.gate.weight': 'ffn_gate_inp.weight', 'mlp.experts.gate_up_proj': 'ffn_gate_up_exps.weight',
                'mlp.experts.down_proj': 'ffn_down_exps.weight', 'mlp.shared_expert.gate_proj.weight': 'ffn_gate_shexp.weight', 'mlp.shared_expert.up_proj.weight': 'ffn_up_shexp.weight',
                'mlp.shared_expert.down_proj.weight': 'ffn_down_shexp.weight', 'mlp.shared_expert_gate.weight': 'ffn_gate_inp_shexp.weight'}
partial_rope = dict(rope_type='default', rope_theta=1e4, partial_rotary_factor=0.5)
experts = dict(num_experts=6, num_experts_per_tok=2, moe_intermediate_size=32, shared_expert_intermediate_size=64, norm_topk_prob=True, decoder_sparse_step=1, mlp_only_layers=[])
expert_metadata = {'expert_count': 6, 'expert_used_count': 2, 'expert_feed_forward_length': 32, 'expert_shared_feed_forward_length': 64}


def tiled(values, axis=0):
    """Value heads from the order in which a key head's follow each other to the one in which key heads take turns."""
    moved = np.moveaxis(values, axis, 0)
    moved = moved.reshape(key_heads, value_heads // key_heads, -1, *moved.shape[1:]).swapaxes(0, 1).reshape(moved.shape)
    return np.moveaxis(moved, 0, axis)


def delta_transform(order):
    """What a converter does to the weights of Gated DeltaNet; `order` of value heads."""
    def transform(name, values):
        keys = 2 * key_heads * delta_dim
        if name.endswith('conv1d.weight'): values = values[:, 0]
        if name.endswith(('in_proj_qkv.weight', 'conv1d.weight')): return np.concatenate([values[:keys], order(values[keys:])])
        if name.endswith(('in_proj_z.weight', 'in_proj_a.weight', 'in_proj_b.weight', 'dt_bias')): return order(values)
        if name.endswith('A_log'): return -np.exp(order(values))
        if name.endswith('linear_attn.out_proj.weight'): return order(values, axis=1)
        if name == 'mlp.shared_expert_gate.weight': return values[0]
        return values + 1 if 'norm' in name and not name.startswith('linear_attn') else values
    return transform


@family
def qwen35():
    config = transformers.Qwen3_5TextConfig(**sizes(**delta_sizes, rope_parameters=dict(**partial_rope, mrope_section=[3, 3, 2], mrope_interleaved=True)))
    tensors = lambda model: named(model, delta_rename, delta_transform(tiled))
    return transformers.Qwen3_5ForCausalLM(config), 'qwen35', dict(metadata={**delta_metadata, 'rope.dimension_sections': [3, 3, 2, 0]}, tensors=tensors)


@family
def qwen35moe():
    config = transformers.Qwen3_5MoeTextConfig(**sizes(**delta_sizes, **experts, rope_parameters=dict(**partial_rope, mrope_section=[3, 3, 2], mrope_interleaved=True)))
    config.intermediate_size = make.width
    tensors = lambda model: named(model, delta_rename, delta_transform(tiled), 'Q8_0')
    metadata = {**delta_metadata, **expert_metadata, 'rope.dimension_sections': [3, 3, 2, 0]}
    return transformers.Qwen3_5MoeForCausalLM(config), 'qwen35moe', dict(metadata=metadata, tensors=tensors, type='Q8_0')


@family
def qwen3next():
    config = transformers.Qwen3NextConfig(**sizes(**delta_sizes, **experts, rope_parameters=partial_rope))

    def tensors(model):
        for name, values, kind in named(model, delta_rename, delta_transform(lambda values, axis=0: values), 'Q8_0'):
            if not name.endswith('qkvz'):
                yield name, values, kind
                continue
            # Rows of a key head: its query, its key, the values of its heads, their gates.
            inner = value_heads // key_heads * delta_dim
            query, key, value, gate = np.split(values.reshape(key_heads, -1, values.shape[-1]), np.cumsum([delta_dim, delta_dim, inner]), axis=1)
            yield name.replace('qkvz', 'attn_qkv.weight'), np.concatenate([part.reshape(-1, values.shape[-1]) for part in (query, key, value)]), kind
            yield name.replace('qkvz', 'attn_gate.weight'), gate.reshape(-1, values.shape[-1]), kind

    return transformers.Qwen3NextForCausalLM(config), 'qwen3next', dict(metadata={**delta_metadata, **expert_metadata}, tensors=tensors, type='Q8_0')


@family
def lfm2():
    # The converter reads the head size from hidden ÷ heads.
    config = transformers.Lfm2Config(**sizes(num_attention_heads=2, num_key_value_heads=1, num_hidden_layers=4, conv_L_cache=3, conv_bias=False, block_auto_adjust_ff_dim=False, norm_eps=1e-5,
                                             layer_types=['conv', 'full_attention', 'conv', 'conv'], rope_parameters=dict(rope_type='default', rope_theta=1e4)))
    config.rms_norm_eps = config.norm_eps
    model = transformers.Lfm2ForCausalLM(config)
    rename = {**outside, **attention, 'self_attn.out_proj.weight': 'attn_output.weight', 'self_attn.q_layernorm.weight': 'attn_q_norm.weight', 'self_attn.k_layernorm.weight': 'attn_k_norm.weight',
              'model.embedding_norm.weight': 'token_embd_norm.weight', 'operator_norm.weight': 'attn_norm.weight', 'ffn_norm.weight': 'ffn_norm.weight',
              'feed_forward.w1.weight': 'ffn_gate.weight', 'feed_forward.w3.weight': 'ffn_up.weight', 'feed_forward.w2.weight': 'ffn_down.weight',
              'conv.conv.weight': 'shortconv.conv.weight', 'conv.in_proj.weight': 'shortconv.in_proj.weight', 'conv.out_proj.weight': 'shortconv.out_proj.weight'}
    transform = lambda name, values: values[:, 0] if name == 'conv.conv.weight' else values
    metadata = {'attention.head_count_kv': [0, 1, 0, 0], 'shortconv.l_cache': 3}
    return model, 'lfm2', dict(metadata=metadata, tensors=lambda model: named(model, rename, transform))


@family
def granitehybrid():
    scales = dict(embedding_multiplier=3.0, attention_multiplier=0.1, residual_multiplier=0.22, logits_scaling=0.5)
    heads, dim, state = 4, 32, 16
    config = transformers.GraniteMoeHybridConfig(**sizes(
        **scales, num_hidden_layers=4, num_local_experts=0, shared_intermediate_size=make.width, layer_types=['mamba', 'mamba', 'attention', 'mamba'], position_embedding_type='nope',
        mamba_n_heads=heads, mamba_n_groups=2, mamba_d_state=state, mamba_d_head=dim, mamba_d_conv=4, mamba_expand=heads * dim // make.hidden, mamba_chunk_size=64,
        rope_parameters=dict(rope_type='default', rope_theta=1e4), tie_word_embeddings=True))
    model = transformers.GraniteMoeHybridForCausalLM(config)
    rename = {**outside, **attention, 'input_layernorm.weight': 'attn_norm.weight', 'post_attention_layernorm.weight': 'ffn_norm.weight',
              'shared_mlp.output_linear.weight': 'ffn_down.weight', 'mamba.in_proj.weight': 'ssm_in.weight', 'mamba.conv1d.weight': 'ssm_conv1d.weight',
              'mamba.conv1d.bias': 'ssm_conv1d.bias', 'mamba.dt_bias': 'ssm_dt.bias', 'mamba.A_log': 'ssm_a', 'mamba.D': 'ssm_d', 'mamba.norm.weight': 'ssm_norm.weight',
              'mamba.out_proj.weight': 'ssm_out.weight'}

    def transform(name, values):
        if name == 'mamba.conv1d.weight': return values[:, 0]
        if name == 'mamba.A_log': return -np.exp(values)[:, None]
        if name == 'mamba.D': return values[:, None]
        return values.reshape(2, -1) if name == 'mamba.norm.weight' else values

    def tensors(model):
        for name, values, kind in named(model, {**rename, 'shared_mlp.input_linear.weight': 'gate and up'}, transform):
            if not name.endswith('gate and up'):
                yield name, values, kind if name.split('.')[-1] == 'weight' and 'norm' not in name else plain
                continue
            gate, up = np.split(values, 2)
            yield name.replace('gate and up', 'ffn_gate.weight'), gate, kind
            yield name.replace('gate and up', 'ffn_up.weight'), up, kind

    metadata = {'embedding_scale': 3.0, 'attention.scale': 0.1, 'residual_scale': 0.22, 'logit_scale': 0.5, 'attention.head_count_kv': [0, 0, make.kv_heads, 0],
                'rope.scaling.finetuned': False, 'ssm.conv_kernel': 4, 'ssm.state_size': state, 'ssm.group_count': 2, 'ssm.time_step_rank': heads, 'ssm.inner_size': heads * dim}
    return model, 'granitehybrid', dict(metadata=metadata, tensors=tensors)


if __name__ == '__main__':
    torch.set_num_threads(1)
    for wanted in sys.argv[1:] or ['qwen35', 'qwen35moe', 'qwen3next', 'lfm2', 'granitehybrid']:
        make.make(wanted)
