"""Writes what PyTorch's convolutions compute: python golden_convolution.py > ../resources/org/toydiff/golden_convolution.txt

Needs torch==2.13.0 (CPU). The lines are those of golden.py; a case's inputs are x,
then the parameters in their order.
"""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(1)


def numbers(*shape):
    """Multiples of 1/8, which make short lines."""
    return (torch.randn(shape) * 8).round() / 8


def line(kind, tensor):
    tensor = tensor.detach()
    shape = ",".join(map(str, tensor.shape))
    values = " ".join(f"{v:.9g}" for v in tensor.double().flatten().tolist())
    print(f"{kind} {shape} | {values}")


def case(name, f, *inputs):
    leaves = [x.clone().requires_grad_() for x in inputs]
    out = f(*leaves)
    g = numbers(*out.shape)
    grads = torch.autograd.grad(out, leaves, g)
    print(f"case {name}")
    for x in inputs:
        line("in", x)
    line("g", g)
    line("out", out)
    for grad in grads:
        line("grad", grad)


def layer(name, module, x):
    parameters = [numbers(*p.shape) for p in module.parameters()]
    names = [n for n, _ in module.named_parameters()]
    case(name, lambda t, *ps: torch.func.functional_call(module, dict(zip(names, ps)), (t,)), x, *parameters)


case("conv1d", F.conv1d, numbers(2, 3, 7), numbers(4, 3, 3), numbers(4))
case("conv1dSettings", lambda x, w, b: F.conv1d(x, w, b, 2, 3, 2, 2), numbers(2, 4, 8), numbers(6, 2, 3), numbers(6))
case("conv1dSingle", lambda x, w: F.conv1d(x, w), numbers(3, 5), numbers(2, 3, 5))
case("conv2d", F.conv2d, numbers(2, 3, 5, 4), numbers(4, 3, 3, 2), numbers(4))
case("conv2dPadded", lambda x, w, b: F.conv2d(x, w, b, 1, 1), numbers(2, 2, 4, 5), numbers(3, 2, 3, 3), numbers(3))
case("conv2dSettings", lambda x, w, b: F.conv2d(x, w, b, 2, 1, 2, 2), numbers(2, 4, 6, 7), numbers(4, 2, 2, 3), numbers(4))
case("conv2dDepthwise", lambda x, w, b: F.conv2d(x, w, b, 1, 1, 1, 3), numbers(2, 3, 4, 5), numbers(6, 1, 3, 3), numbers(6))
case("conv2dPointwise", lambda x, w: F.conv2d(x, w), numbers(2, 3, 3, 4), numbers(5, 3, 1, 1))
case("conv2dWhole", F.conv2d, numbers(1, 2, 3, 4), numbers(3, 2, 3, 4), numbers(3))
case("conv2dSparse", lambda x, w: F.conv2d(x, w, None, 4), numbers(1, 1, 7, 6), numbers(2, 1, 2, 2))
case("convTranspose2d", F.conv_transpose2d, numbers(2, 3, 3, 4), numbers(3, 2, 2, 3), numbers(2))
case("convTranspose2dSettings", lambda x, w, b: F.conv_transpose2d(x, w, b, 2, 1, 1, 2, 2), numbers(2, 4, 3, 3),
     numbers(4, 1, 3, 2), numbers(2))
case("unfold", lambda x: F.unfold(x, (2, 3), dilation=(1, 2), padding=1, stride=(2, 1)), numbers(2, 2, 4, 5))
case("fold", lambda x: F.fold(x, (4, 5), (2, 3), dilation=(1, 2), padding=1, stride=(2, 1)), numbers(2, 12, 9))

for mode in ("zeros", "reflect", "replicate", "circular"):
    layer("conv1dLayer " + mode, nn.Conv1d(2, 3, 3, stride=2, padding=2, padding_mode=mode), numbers(2, 2, 5))
    layer("conv2dLayer " + mode, nn.Conv2d(2, 2, (2, 3), padding=(1, 2), padding_mode=mode), numbers(1, 2, 3, 4))
    layer("conv2dSame " + mode, nn.Conv2d(2, 2, (2, 3), padding="same", dilation=(1, 2), padding_mode=mode, groups=2),
          numbers(1, 2, 4, 5))
layer("convTranspose2dLayer", nn.ConvTranspose2d(2, 4, 3, stride=2, padding=1, output_padding=1, groups=2), numbers(2, 2, 3, 3))
