"""Writes what PyTorch's attention computes: python golden_attention.py > ../resources/org/toydiff/golden_attention.txt

Needs torch==2.13.0 (CPU). The lines are those of golden.py. Inputs are queries, keys and values, then the mask, of which
booleans are 0 and 1; gradients are those of the first three, and of a mask of terms where there are four. A layer's
inputs are x, then its parameters in their order.
"""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(19)


def line(kind, tensor):
    tensor = tensor.detach()
    shape = ",".join(map(str, tensor.shape))
    values = " ".join(repr(round(v, 7)) for v in tensor.double().flatten().tolist())
    print(f"{kind} {shape} | {values}")


def case(name, inputs, f, leaves):
    out = f()
    g = torch.randn(out.shape)
    grads = torch.autograd.grad(out, leaves, g)
    print(f"case {name}")
    for x in inputs:
        line("in", x)
    line("g", g)
    line("out", out)
    for grad in grads:
        line("grad", grad)


def attention(name, q, k, v, mask=None, tracked=False, **options):
    q, k, v = [torch.randn(shape).requires_grad_() for shape in (q, k, v)]
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
attention("terms", *four, mask=torch.randn(2, 1, 4, 4))
attention("terms", *four, mask=torch.zeros(4, 4).masked_fill(~full, float("-inf")))
attention("trackedTerms", *four, mask=torch.randn(2, 4, 4), tracked=True)
attention("trackedTerms", *four, mask=torch.zeros(4, 4).masked_fill(~full, float("-inf")), tracked=True)
