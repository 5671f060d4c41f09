"""Writes what PyTorch's attention computes: python golden_attention.py > ../resources/org/toydiff/golden_attention.txt

Needs torch==2.13.0 (CPU). The lines are those of golden.py. Inputs are queries, keys and values, then the mask, of which
booleans are 0 and 1; gradients are those of the first three, and of a mask of terms where there are four. A layer's
inputs are x, then its parameters in their order.
"""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(19)
torch.set_default_dtype(torch.float64)


def randn(*shape):
    """Numbers of few digits, which are written as they are."""
    return (torch.randn(*shape) * 100).round() / 100


def line(kind, tensor):
    tensor = tensor.detach()
    shape = ",".join(map(str, tensor.shape))
    values = " ".join(repr(round(v, 6)) for v in tensor.double().flatten().tolist())
    print(f"{kind} {shape} | {values}")


def case(name, inputs, f, leaves):
    out = f()
    g = randn(*out.shape)
    grads = torch.autograd.grad(out, leaves, g)
    print(f"case {name}")
    for x in inputs:
        line("in", x)
    line("g", g)
    line("out", out)
    for grad in grads:
        line("grad", grad)


def attention(name, q, k, v, mask=None, tracked=False, **options):
    q, k, v = [randn(*shape).requires_grad_() for shape in (q, k, v)]
    leaves = [q, k, v]
    if tracked:
        mask.requires_grad_()
        leaves.append(mask)
    case(name, [q, k, v] + ([] if mask is None else [mask]),
         lambda: F.scaled_dot_product_attention(q, k, v, attn_mask=mask, **options), leaves)


four = ((2, 2, 4, 3),) * 3
attention("plain", *four)
attention("plain", (5, 3), (4, 3), (4, 2))
attention("plain", (2, 1, 3), (2, 4, 3), (2, 4, 5))
attention("plain", (2, 2, 3, 4), (1, 2, 3, 4), (2, 3, 4))
attention("causal", *four, is_causal=True)
attention("causal", (1, 2, 3, 3), (1, 2, 5, 3), (1, 2, 5, 3), is_causal=True)
attention("causal", (1, 2, 5, 3), (1, 2, 3, 3), (1, 2, 3, 3), is_causal=True)
attention("scaled", *four, scale=0.3)
attention("grouped", (2, 4, 3, 2), (2, 2, 5, 2), (2, 2, 5, 3), enable_gqa=True)
attention("groupedCausal", (1, 3, 4, 2), (1, 1, 4, 2), (1, 1, 4, 2), is_causal=True, enable_gqa=True)
full = torch.tensor([[1, 0, 1, 1], [0, 0, 0, 0], [0, 1, 0, 0], [1, 1, 1, 1]], dtype=torch.bool)
attention("boolean", *four, mask=full)
attention("boolean", *four, mask=torch.tensor([[[[1, 1, 0, 0]]], [[[0, 0, 0, 1]]]], dtype=torch.bool))
attention("terms", *four, mask=randn(2, 1, 4, 4))
attention("terms", *four, mask=torch.zeros(4, 4).masked_fill(~full, float("-inf")))
attention("trackedTerms", *four, mask=randn(2, 4, 4), tracked=True)
attention("trackedTerms", *four, mask=torch.zeros(4, 4).masked_fill(~full, float("-inf")), tracked=True)


def layer(name, module, *inputs, f):
    for p in module.parameters():
        p.data = randn(*p.shape)
    x = [t.clone().requires_grad_() for t in inputs]
    parameters = list(module.parameters())
    case(name, list(inputs) + parameters, lambda: f(module, *x), x + parameters)


def flat(output, weights):
    return torch.cat([output.flatten(), weights.flatten()])


padding = torch.tensor([[False, True, False], [True, False, False]])
later = torch.ones(3, 3, dtype=torch.bool).triu(1)
layer("multihead", nn.MultiheadAttention(4, 2), randn(3, 2, 4), f=lambda m, x: m(x, x, x, need_weights=False)[0])
layer("multihead", nn.MultiheadAttention(4, 2), randn(3, 4), f=lambda m, x: m(x, x, x, need_weights=False)[0])
layer("multiheadOfBatches", nn.MultiheadAttention(4, 2, batch_first=True), randn(2, 2, 4), randn(2, 3, 4),
      randn(2, 3, 4), f=lambda m, q, k, v: m(q, k, v, key_padding_mask=padding)[0])
layer("multiheadWithoutBias", nn.MultiheadAttention(4, 2, bias=False, batch_first=True), randn(2, 3, 4),
      f=lambda m, x: m(x, x, x, attn_mask=later)[0])
layer("weights", nn.MultiheadAttention(4, 2, batch_first=True), randn(2, 3, 4),
      f=lambda m, x: flat(*m(x, x, x, key_padding_mask=padding.double(), attn_mask=torch.arange(9.0).reshape(3, 3))))
layer("weightsOfHeads", nn.MultiheadAttention(4, 2), randn(3, 2, 4),
      f=lambda m, x: flat(*m(x, x, x, attn_mask=later, average_attn_weights=False)))
layer("encoder", nn.TransformerEncoderLayer(4, 2, 5, 0.0), randn(3, 2, 4), f=lambda m, x: m(x))
layer("encoderOfBatches", nn.TransformerEncoderLayer(4, 2, 5, 0.0, F.gelu, batch_first=True, norm_first=True),
      randn(2, 3, 4), f=lambda m, x: m(x, src_mask=later, is_causal=True))
layer("multiheadOfSizes", nn.MultiheadAttention(4, 2, kdim=3, vdim=5, batch_first=True), randn(2, 2, 4), randn(2, 3, 3),
      randn(2, 3, 5), f=lambda m, q, k, v: m(q, k, v, need_weights=False)[0])
