"""Writes what PyTorch computes, as test data: python golden.py > ../resources/org/toydiff/golden.txt

Needs torch==2.13.0 (CPU). The build never runs this; its output is committed.

Each case is one op on given inputs, its output, and the gradients of sum(g * output) to every input:

    case <op> [<note>]
    in   <shape> | <values>
    g    <shape> | <values>
    out  <shape> | <values>
    grad <shape> | <values>        one for each input
"""
import torch
import torch.nn.functional as F

torch.manual_seed(0)


def line(kind, tensor):
    tensor = tensor.detach()
    shape = ",".join(map(str, tensor.shape))
    values = " ".join(repr(v) for v in tensor.double().flatten().tolist())
    print(f"{kind} {shape} | {values}")


def case(name, f, *inputs):
    leaves = [x.clone().requires_grad_() for x in inputs]
    out = f(*leaves)
    g = torch.randn(out.shape)
    grads = torch.autograd.grad(out, leaves, g)
    print(f"case {name}")
    for x in inputs:
        line("in", x)
    line("g", g)
    line("out", out)
    for grad in grads:
        line("grad", grad)


def trajectory(name, optimizer, steps=20):
    """x, target, weight, bias; out: the losses; grads: the parameters after the last step."""
    x, target = torch.randn(8, 3), torch.randn(8, 2)
    weight, bias = torch.randn(2, 3), torch.randn(2)
    print(f"case {name}")
    for tensor in (x, target, weight, bias):
        line("in", tensor)
    w, b = weight.clone().requires_grad_(), bias.clone().requires_grad_()
    step = optimizer([w, b])
    losses = []
    for _ in range(steps):
        loss = F.mse_loss(torch.tanh(F.linear(x, w, b)), target)
        losses.append(loss.item())
        step.zero_grad()
        loss.backward()
        step.step()
    line("out", torch.tensor(losses))
    line("grad", w)
    line("grad", b)


def positive(*shape):
    return torch.rand(shape) * 2 + 0.1


# Element by element.
for name in ("negative", "sigmoid", "sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "sign", "abs", "relu"):
    case(name, getattr(torch, name), torch.randn(3, 4))
case("erf", torch.erf, torch.randn(3, 4) * 2)
case("clamp", lambda x: torch.clamp(x, -1, 0.5), torch.tensor([-2.0, -1.0, 0.0, 0.5, 0.7]))
for name in ("log", "sqrt", "log1p"):
    case(name, getattr(torch, name), positive(3, 4))
case("abs", torch.abs, torch.tensor([0.0, -0.0, 1.0, -1.0]))
case("relu", torch.relu, torch.tensor([0.0, -0.0, 1.0, -1.0]))

# Two operands that broadcast.
SHAPES = [((3, 4), (3, 4)), ((3, 4), (4,)), ((3, 1), (1, 4)), ((2, 3, 4), (3, 1)), ((), (2, 3)), ((1,), (5,))]
for a, b in SHAPES:
    for name in ("add", "subtract", "multiply", "maximum", "minimum"):
        case(name, getattr(torch, name), torch.randn(a), torch.randn(b))
    case("divide", torch.divide, torch.randn(a), positive(*b))
    case("power", torch.pow, positive(*a), torch.randn(b))
ties = torch.tensor([[1.0, 2.0, 3.0], [0.0, -0.0, 5.0]]), torch.tensor([[1.0, 5.0, 3.0], [0.0, 0.0, 1.0]])
case("maximum", torch.maximum, *ties)
case("minimum", torch.minimum, *ties)
case("power", torch.pow, torch.tensor([0.0, 0.0, 2.0, -2.0]), torch.tensor([0.0, 2.0, 0.0, 0.0]))

# Products.
for a, b in [((2, 3), (3, 4)), ((5, 2, 3), (5, 3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((4, 1, 2, 3), (5, 3, 2)),
             ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((5, 2, 3), (3,)), ((3,), (5, 3, 2)), ((1, 1), (1, 1))]:
    case("matmul", torch.matmul, torch.randn(a), torch.randn(b))
for a, b, c in [((2, 3), (3, 4), (4,)), ((2, 3), (3, 4), (2, 1)), ((2, 3), (3, 4), (2, 4)), ((5, 2, 3), (3, 4), (4,)), ((5, 2, 3), (5, 3, 4), ())]:
    case("fma", lambda x, y, z: torch.matmul(x, y) + z, torch.randn(a), torch.randn(b), torch.randn(c))

# Reductions, over all, over an axis, over an axis that stays.
reductions = {
    "sum": lambda x, **k: torch.sum(x, **k),
    "mean": lambda x, **k: torch.mean(x, **k),
    "max": lambda x, **k: torch.amax(x, **k),
    "min": lambda x, **k: torch.amin(x, **k),
    "std": lambda x, **k: torch.std(x, correction=0, **k),
}
tied = torch.tensor([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
for name, f in reductions.items():
    case(name, f, torch.randn(2, 3, 4))
    case(name + "0", lambda x: f(x, dim=0), torch.randn(2, 3, 4))
    case(name + "1", lambda x: f(x, dim=1), torch.randn(2, 3, 4))
    case(name + "Last", lambda x: f(x, dim=-1), torch.randn(2, 3, 4))
    case(name + "1Kept", lambda x: f(x, dim=1, keepdim=True), torch.randn(2, 3, 4))
    case(name, f, tied)
    case(name + "Last", lambda x: f(x, dim=-1), tied)
case("std1Unbiased", lambda x: torch.std(x, dim=1, correction=1), torch.randn(2, 5))

case("var", lambda x: torch.var(x, correction=0), torch.randn(2, 3, 4))
case("var1", lambda x: torch.var(x, dim=1, correction=0), torch.randn(2, 3, 4))
case("var0UnbiasedKept", lambda x: torch.var(x, dim=0, correction=1, keepdim=True), torch.randn(4, 3))
case("logSumExp1", lambda x: torch.logsumexp(x, 1), torch.randn(3, 4))
case("logSumExp0Kept", lambda x: torch.logsumexp(x, 0, keepdim=True), torch.randn(3, 4) * 50)
case("norm", torch.linalg.vector_norm, torch.randn(3, 4))
case("norm", torch.linalg.vector_norm, torch.zeros(3))
for p in (1, 2, 3, float("inf")):
    case(f"norm{p}", lambda x: torch.linalg.vector_norm(x, p, dim=1, keepdim=True), torch.randn(3, 4))
case("norm2", lambda x: torch.linalg.vector_norm(x, 2, dim=1, keepdim=True), torch.tensor([[0.0, 0.0], [3.0, 4.0]]))
case("norminf", lambda x: torch.linalg.vector_norm(x, float("inf"), dim=1, keepdim=True), torch.tensor([[3.0, -3.0, 1.0]]))
case("topk", lambda x: torch.topk(x, 2, dim=1).values, torch.randn(3, 5))

# Views and indexing.
case("reshape", lambda x: x.reshape(4, 6), torch.randn(2, 3, 4))
case("transpose", lambda x: x.permute(2, 1, 0), torch.randn(2, 3, 4))
case("transpose201", lambda x: x.permute(2, 0, 1), torch.randn(2, 3, 4))
case("slice", lambda x: x[:, 1:3], torch.randn(2, 5))
case("get", lambda x: x[1], torch.randn(3, 4))
case("broadcastTo", lambda x: x.expand(2, 3, 4), torch.randn(3, 1))
case("gather", lambda x: x.gather(1, torch.tensor([[0], [2], [2]])), torch.randn(3, 4))
case("indexSelect", lambda x: x.index_select(1, torch.tensor([2, 0, 2])), torch.randn(3, 4))
case("concat", lambda a, b: torch.cat((a, b, a), 1), torch.randn(2, 3), torch.randn(2, 1))
case("stack", lambda a, b: torch.stack((a, b), 1), torch.randn(2, 3), torch.randn(2, 3))
mask = torch.tensor([[True], [False]])
case("where", lambda a, b: torch.where(mask, a, b), torch.randn(2, 3), torch.randn(3))

# Activations and losses; rows of ±1000 must give no NaN.
large = torch.tensor([[1000.0, -1000.0, 0.0], [-1000.0, -1000.0, -1000.0], [1000.0, 999.0, 1000.0]])
for x in (torch.randn(3, 4), large):
    case("softmax", lambda t: F.softmax(t, 1), x)
    case("softmin", lambda t: F.softmin(t, 1), x)
    case("logSoftmax", lambda t: F.log_softmax(t, 1), x)
    case("softmax0", lambda t: F.softmax(t, 0), x)
labels = torch.tensor([1, 0, 2])
for suffix, reduction in (("", "mean"), ("Sum", "sum"), ("None", "none")):
    case("mseLoss" + suffix, lambda a, b: F.mse_loss(a, b, reduction=reduction), torch.randn(3, 4), torch.randn(3, 4))
    case("maeLoss" + suffix, lambda a, b: F.l1_loss(a, b, reduction=reduction), torch.randn(3, 4), torch.randn(3, 4))
    for x in (torch.randn(3, 4), large):
        case("crossEntropyLoss" + suffix, lambda t: F.cross_entropy(t, labels, reduction=reduction), x)
    case("crossEntropyProbabilities" + suffix,
         lambda t, p: F.cross_entropy(t, p, reduction=reduction), torch.randn(3, 4), torch.softmax(torch.randn(3, 4), 1))

# Gradients of gradients.
case("secondOfTanh", lambda x: torch.autograd.grad(torch.tanh(x).sum(), x, create_graph=True)[0], torch.randn(5))
case("secondOfPower", lambda x: torch.autograd.grad((x ** 3).sum(), x, create_graph=True)[0], positive(5))

# Optimizers.
trajectory("sgd", lambda p: torch.optim.SGD(p, lr=0.1))
trajectory("sgdMomentum", lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9))
trajectory("adam", lambda p: torch.optim.Adam(p, lr=0.01))

case("reciprocal", torch.reciprocal, torch.tensor([0.5, -2.0, 1e-30, -1e30, 7.0, 3.0]))

# Order, cumulative ops, masks, and several axes.
case("sort1", lambda x: torch.sort(x, dim=1, stable=True).values, torch.randn(3, 5))
case("sort0Descending", lambda x: torch.sort(x, dim=0, descending=True, stable=True).values, torch.randn(3, 5))
case("cumsum1", lambda x: torch.cumsum(x, 1), torch.randn(3, 4))
zeros = torch.tensor([[2.0, 0.0, 3.0, 0.0], [0.0, 1.5, -1.0, 2.0], [0.5, 2.0, -3.0, 1.0]])
for x in (torch.randn(3, 4), zeros):
    case("cumprod0", lambda t: torch.cumprod(t, 0), x)
    case("cumprod1", lambda t: torch.cumprod(t, 1), x)
    case("prod", torch.prod, x)
    case("prod1", lambda t: torch.prod(t, 1), x)
case("median", torch.median, torch.randn(3, 4))
case("median0", lambda x: torch.median(x, 0).values, torch.randn(4, 3))
case("quantile", lambda x: torch.quantile(x, 0.35), torch.randn(3, 4))
case("quantile1Kept", lambda x: torch.quantile(x, 0.8, 1, keepdim=True), torch.randn(3, 4))
case("diff1", lambda x: torch.diff(x, dim=1), torch.randn(3, 4))
mask = torch.tensor([[True, False, True], [False, True, True]])
case("select", lambda x: torch.masked_select(x, mask), torch.randn(2, 3))
case("put", lambda x, v: torch.masked_scatter(x, mask, v), torch.randn(2, 3), torch.randn(4))
case("putNumber", lambda x: torch.masked_fill(x, mask, 7.0), torch.randn(2, 3))
several = {
    "sum02": torch.sum,
    "mean02": torch.mean,
    "max02": torch.amax,
    "min02": torch.amin,
    "logSumExp02": torch.logsumexp,
    "norm02": lambda x, dim: torch.linalg.vector_norm(x, 2, dim),
    "var02Unbiased": lambda x, dim: torch.var(x, dim, correction=1),
}
for name, f in several.items():
    case(name, lambda x: f(x, dim=(0, 2)), torch.randn(2, 3, 4))
