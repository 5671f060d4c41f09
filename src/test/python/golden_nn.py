"""Writes what PyTorch's layers and losses compute: python golden_nn.py > ../resources/org/toydiff/golden_nn.txt

Needs torch==2.13.0 (CPU). The lines are those of golden.py. A layer's inputs are x, then its parameters in their order; its
output is flattened before gradients are taken, and buffers follow as further outputs.
"""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(1)


def line(kind, tensor):
    tensor = tensor.detach()
    shape = ",".join(map(str, tensor.shape))
    values = " ".join(repr(v) for v in tensor.double().flatten().tolist())
    print(f"{kind} {shape} | {values}")


def case(name, f, *inputs):
    leaves = [x.clone().requires_grad_(x.is_floating_point()) for x in inputs]
    out = f(*leaves)
    g = torch.randn(out.shape)
    wanted = [x for x in leaves if x.requires_grad]
    grads = torch.autograd.grad(out, wanted, g)
    print(f"case {name}")
    for x in inputs:
        line("in", x)
    line("g", g)
    line("out", out)
    for grad in grads:
        line("grad", grad)


def layer(name, module, *xs):
    """Runs the layer on each of xs in turn; the last run is differentiated."""
    for p in module.parameters():
        p.data = torch.randn(p.shape)
    parameters = [p.detach().clone() for p in module.parameters()]
    for x in xs[:-1]:
        module(x)
    x = xs[-1].clone().requires_grad_(xs[-1].is_floating_point())
    out = module(x)
    g = torch.randn(out.shape)
    wanted = ([x] if x.requires_grad else []) + list(module.parameters())
    grads = torch.autograd.grad(out, wanted, g)
    print(f"case {name}")
    for t in list(xs) + parameters:
        line("in", t)
    line("g", g)
    line("out", out)
    for buffer in module.buffers():
        line("out", buffer)
    for grad in grads:
        line("grad", grad)


edge = torch.tensor([[-30.0, -3.0, -1.0, -0.5], [0.0, 0.5, 3.0, 30.0]])
for x in (torch.randn(3, 4), edge):
    case("gelu", F.gelu, x)
    case("geluTanh", lambda t: F.gelu(t, approximate="tanh"), x)
    case("silu", F.silu, x)
    case("leakyRelu", lambda t: F.leaky_relu(t, 0.1), x)
    case("softplus", F.softplus, x)
    case("softplus2", lambda t: F.softplus(t, 2, 5), x)

labels = torch.tensor([1, 0, 2])
weight = torch.tensor([0.5, 2.0, 1.0, 3.0])
for suffix, reduction in (("", "mean"), ("Sum", "sum"), ("None", "none")):
    case("bce" + suffix, lambda a, b: F.binary_cross_entropy_with_logits(a, b, reduction=reduction),
         torch.randn(2, 4) * 3, torch.rand(2, 4))
    case("bce" + suffix, lambda a, b: F.binary_cross_entropy_with_logits(a, b, reduction=reduction), edge, torch.rand(2, 4))
    case("nll" + suffix, lambda a: F.nll_loss(a, labels, reduction=reduction), torch.randn(3, 4))
    case("huber" + suffix, lambda a, b: F.huber_loss(a, b, delta=0.7, reduction=reduction), torch.randn(3, 4),
         torch.randn(3, 4))
    case("smoothed" + suffix, lambda a: F.cross_entropy(a, labels, label_smoothing=0.1, reduction=reduction),
         torch.randn(3, 4))
    case("weighted" + suffix, lambda a: F.cross_entropy(a, labels, weight=weight, reduction=reduction), torch.randn(3, 4))
    case("both" + suffix,
         lambda a: F.cross_entropy(a, labels, weight=weight, label_smoothing=0.2, reduction=reduction), torch.randn(3, 4))
    case("bothOfProbabilities" + suffix,
         lambda a: F.cross_entropy(a, torch.tensor([[0.1, 0.2, 0.3, 0.4], [1.0, 0, 0, 0], [0, 0.5, 0.5, 0]]), weight=weight,
                                   label_smoothing=0.2, reduction=reduction), torch.randn(3, 4))

layer("layerNorm", nn.LayerNorm(4), torch.randn(3, 4) * 5 + 2)
layer("layerNorm2", nn.LayerNorm((3, 4)), torch.randn(2, 3, 4))
layer("batchNorm", nn.BatchNorm1d(3), torch.randn(5, 3) * 2 + 1, torch.randn(4, 3), torch.randn(6, 3))
layer("batchNormLong", nn.BatchNorm1d(3), torch.randn(5, 3, 2), torch.randn(2, 3, 4))
trained = nn.BatchNorm1d(3)
trained.running_mean, trained.running_var = torch.tensor([1.0, -1, 0]), torch.tensor([2.0, 0.5, 1])
layer("batchNormEval", trained.eval(), torch.randn(1, 3))
layer("embedding", nn.Embedding(5, 3), torch.tensor([[0, 4], [4, 2]]))

some, none = torch.tensor([1, -100, 2, -100]), torch.tensor([-100, -100, -100, -100])
for suffix, reduction in (("", "mean"), ("Sum", "sum"), ("None", "none")):
    for name, given in (("ignored", some), ("ignoredAll", none)):
        def loss(a, **settings):
            return F.cross_entropy(a, given, reduction=reduction, **settings)

        case(name + suffix, loss, torch.randn(4, 4))
        case(name + "Smoothed" + suffix, lambda a: loss(a, label_smoothing=0.1), torch.randn(4, 4))
        case(name + "Weighted" + suffix, lambda a: loss(a, weight=weight), torch.randn(4, 4))
        case(name + "Both" + suffix, lambda a: loss(a, weight=weight, label_smoothing=0.2), torch.randn(4, 4))
        case(name + "Nll" + suffix, lambda a: F.nll_loss(a, given, reduction=reduction), torch.randn(4, 4))
    case("ignoredClass" + suffix, lambda a: F.cross_entropy(a, labels, ignore_index=2, reduction=reduction), torch.randn(3, 4))

for x in (torch.randn(3, 4) * 3, edge):
    case("elu", lambda t: F.elu(t, 0.7), x)
    case("hardswish", F.hardswish, x)
    case("mish", F.mish, x)
