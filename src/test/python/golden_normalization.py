"""Writes what PyTorch's normalisations compute: python golden_normalization.py > ../resources/org/toydiff/golden_normalization.txt

Needs torch==2.13.0 (CPU). The lines are those of golden_nn.py; numbers of few digits keep the file small.
"""
import torch
from torch import nn

torch.manual_seed(4)


def randn(*shape):
    return torch.randn(*shape).mul(10).round().div(10)


def line(kind, tensor):
    tensor = tensor.detach()
    shape = ",".join(map(str, tensor.shape))
    values = " ".join(f"{v:.8g}" for v in tensor.double().flatten().tolist())
    print(f"{kind} {shape} | {values}")


def layer(name, module, *xs):
    """Runs the layer on each of xs in turn; the last run is differentiated."""
    for p in module.parameters():
        p.data = randn(*p.shape)
    parameters = [p.detach().clone() for p in module.parameters()]
    for x in xs[:-1]:
        module(x)
    x = xs[-1].clone().requires_grad_()
    out = module(x)
    g = randn(*out.shape)
    grads = torch.autograd.grad(out, [x] + list(module.parameters()), g)
    print(f"case {name}")
    for t in list(xs) + parameters:
        line("in", t)
    line("g", g)
    line("out", out)
    for buffer in module.buffers():
        line("out", buffer)
    for grad in grads:
        line("grad", grad)


layer("layerNormOfManyRows", nn.LayerNorm(6), randn(40, 6) * 3 + 1)
layer("layerNormOfOne", nn.LayerNorm(1), randn(3, 1))
layer("rmsNorm", nn.RMSNorm(5), randn(3, 5))
layer("rmsNorm2", nn.RMSNorm((2, 3)), randn(2, 2, 3))
layer("rmsNormOfManyRows", nn.RMSNorm(3), randn(33, 3))
layer("groupNormOfShortRuns", nn.GroupNorm(2, 4), randn(2, 4, 3))
layer("groupNorm", nn.GroupNorm(2, 4), randn(2, 4, 4, 5) * 2 + 1)
layer("groupNormOfOneGroup", nn.GroupNorm(1, 3), randn(2, 3, 17))
layer("groupNormOfEachChannel", nn.GroupNorm(3, 3), randn(2, 3, 17))
layer("batchNorm2d", nn.BatchNorm2d(2), randn(3, 2, 4, 4) * 2 + 1, randn(1, 2, 3, 5), randn(3, 2, 4, 4))
layer("batchNorm2dOfShortRuns", nn.BatchNorm2d(3), randn(2, 3, 2, 2), randn(2, 3, 2, 3))
layer("batchNorm2dOfOneImage", nn.BatchNorm2d(2), randn(1, 2, 4, 5))
layer("batchNorm1dOfLongRuns", nn.BatchNorm1d(2), randn(2, 2, 17))
trained = nn.BatchNorm2d(2)
trained.running_mean, trained.running_var = torch.tensor([1.0, -1]), torch.tensor([2.0, 0.5])
layer("batchNorm2dEval", trained.eval(), randn(1, 2, 2, 3))
layer("prelu", nn.PReLU(3), randn(2, 3, 4))
layer("preluOfOneWeight", nn.PReLU(), torch.tensor([[-2.0, 0, -0.0, 1, float("nan"), float("-inf")]]))
