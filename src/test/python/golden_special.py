"""Writes what PyTorch computes at 0, ±∞ and NaN: python golden_special.py > ../resources/org/toydiff/golden_special.txt

Needs torch==2.13.0 (CPU). The lines are those of golden.py: the input, the output, the gradient of the sum of the outputs
(of reductions weighted 1, 2, ...), and as "second" the gradient of that gradient, summed and weighted alike. Where PyTorch's
answer is NaN out of 0·∞, or is a matter of taste, RIGHT and finite() say what it is here.
"""
import math
import warnings

import torch
import torch.nn.functional as F

warnings.filterwarnings("ignore")
T = torch.float64
INF, NAN = math.inf, math.nan
POINTS = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, INF, -INF, NAN, 20.5, -20.5, 40.0]
RUNS = [
    [0.0, 0.0, 0.0], [0.0, 1.0, 2.0], [1.0, 1.0, 1.0], [0.0, 3.0, -4.0], [INF, 1.0, 0.0], [-INF, 1.0, 0.0],
    [-INF, -INF, -INF], [INF, INF, INF], [INF, -INF, 0.0], [NAN, 1.0, 2.0], [5.0], [0.0], [INF], [3.0, 3.0, 2.0],
]


def number(x):
    return torch.tensor(x, dtype=T)


EACH = {
    "log": torch.log, "log1p": torch.log1p, "erf": torch.erf, "negative": torch.neg, "sigmoid": torch.sigmoid,
    "sin": torch.sin, "cos": torch.cos, "sinh": torch.sinh, "cosh": torch.cosh, "tanh": torch.tanh, "exp": torch.exp,
    "sign": torch.sign, "abs": torch.abs, "sqrt": torch.sqrt, "relu": torch.relu,
    "clamp": lambda x: x.clamp(-1, 1),
    "power2": lambda x: x**2, "power0.5": lambda x: x**0.5, "power0": lambda x: x**0, "power1": lambda x: x**1,
    "power-1": lambda x: x**-1.0, "power3": lambda x: x**3, "power1.5": lambda x: x**1.5,
    "powerOf2": lambda x: number(2.0) ** x, "powerOf0": lambda x: number(0.0) ** x,
    "reciprocal": lambda x: 1 / x,
    "maximum": lambda x: torch.maximum(x, number(0.0)), "minimum": lambda x: torch.minimum(x, number(0.0)),
    "sqrtOfMaximum": lambda x: torch.maximum(x, number(0.0)).sqrt(),
    "sqrtBelow1": lambda x: (1 - torch.minimum(x, number(1.0))).sqrt(),
    "sqrtOfClamp": lambda x: x.clamp(0, 4).sqrt(), "logOfRelu": lambda x: torch.relu(x).log(),
    "silu": F.silu, "gelu": F.gelu, "geluTanh": lambda x: F.gelu(x, approximate="tanh"),
    "elu": lambda x: F.elu(x, 0.7), "hardswish": F.hardswish, "mish": F.mish,
    "leakyRelu": lambda x: F.leaky_relu(x, 0.01), "softplus": F.softplus, "softplus2": lambda x: F.softplus(x, 2, 5),
    "mse": lambda x: F.mse_loss(x, torch.zeros_like(x), reduction="none"),
    "mae": lambda x: F.l1_loss(x, torch.zeros_like(x), reduction="none"),
    "huber": lambda x: F.huber_loss(x, torch.zeros_like(x), reduction="none", delta=2.0),
    "bce0": lambda x: F.binary_cross_entropy_with_logits(x, torch.zeros_like(x), reduction="none"),
    "bce0.3": lambda x: F.binary_cross_entropy_with_logits(x, torch.full_like(x, 0.3), reduction="none"),
    "bce1": lambda x: F.binary_cross_entropy_with_logits(x, torch.ones_like(x), reduction="none"),
    "rsqrt": torch.rsqrt, "expm1": torch.expm1, "exp2": torch.exp2, "log2": torch.log2, "log10": torch.log10,
    "asin": torch.asin, "acos": torch.acos, "atan": torch.atan,
    "floor": torch.floor, "ceil": torch.ceil, "round": torch.round, "trunc": torch.trunc,
    "nanToNum": lambda x: torch.nan_to_num(x, 1.0, -INF, 3.0),
    "remainder": lambda x: torch.remainder(x, number(3.0)), "fmod": lambda x: torch.fmod(x, number(3.0)),
}
# Of two operands, at all pairs of points: no second derivatives.
PAIRS = {"atan2": torch.atan2, "hypot": torch.hypot, "remainder": torch.remainder, "fmod": torch.fmod}
WHOLE = {
    "sum": torch.sum, "mean": torch.mean, "max": lambda x: x.amax(0), "min": lambda x: x.amin(0),
    "logSumExp": lambda x: x.logsumexp(0), "softmax": lambda x: x.softmax(0), "logSoftmax": lambda x: x.log_softmax(0),
    "crossEntropy": lambda x: F.cross_entropy(x[None], torch.tensor([0]), reduction="none"),
    "nll": lambda x: F.nll_loss(x[None], torch.tensor([0]), reduction="none"),
    "layerNorm": lambda x: F.layer_norm(x, x.shape, torch.ones_like(x), torch.zeros_like(x), 1e-5),
}
for ddof in (0, 1, 3, 5):
    WHOLE[f"var{ddof}"] = lambda x, ddof=ddof: x.var(dim=0, correction=ddof)
    WHOLE[f"std{ddof}"] = lambda x, ddof=ddof: x.std(dim=0, correction=ddof)
for p in ("0.5", "1", "1.5", "2", "3", "inf"):
    WHOLE[f"norm{p}"] = lambda x, p=p: torch.linalg.vector_norm(x, float(p))

# By name, kind and x.
RIGHT = {
    # C's pow of −∞ is that of ∞, and that of −0 for such exponents is that of 0, which clamp makes of −0, too.
    ("power0.5", "out", -INF): INF, ("power0.5", "grad", -INF): 0.0, ("power0.5", "grad", 0.0): INF,
    ("power1.5", "second", 0.0): INF, ("sqrtOfClamp", "grad", 0.0): INF, ("sqrtOfClamp", "second", 0.0): -INF,
    ("power1.5", "grad", -INF): INF, ("power1.5", "second", -INF): 0.0,
    # Not (1 − 1)·∞.
    ("bce1", "out", -INF): INF, ("bce0.3", "out", -INF): INF,
    # Not ∞·0.
    ("mish", "grad", INF): 1.0,
}


# By name, kind and both operands.
RIGHT_OF_PAIR = {}


def finite(name, kind, x, value, run):
    """Elements of 0 in a norm, and −∞ wherever one looks, have no share; a norm of NaN has no gradient."""
    plain = all(map(math.isfinite, run)) or kind == "grad" and not any(map(math.isnan, run))
    if name.startswith("norm") and kind != "out" and x == 0 and plain:
        return 0.0 if math.isnan(value) else value
    if name == "norminf" and kind == "grad" and any(map(math.isnan, run)):
        return NAN
    return 0.0 if name == "logSumExp" and kind != "out" and run == [-INF] * 3 else value


def line(kind, values):
    print(f"{kind} {len(values)} | {' '.join(map(repr, values))}")


def ramp(t, weighted):
    return torch.arange(1, t.numel() + 1, dtype=T).reshape(t.shape) if weighted else torch.ones_like(t)


def case(name, f, values, weighted):
    x = torch.tensor(values, dtype=T, requires_grad=True)
    y = f(x)
    (g,) = torch.autograd.grad(y, x, ramp(y, weighted), create_graph=True)
    h = None
    if g.requires_grad:
        (h,) = torch.autograd.grad(g, x, ramp(g, weighted), allow_unused=True)
    h = torch.zeros_like(x) if h is None else h
    print(f"case {name}")
    line("in", values)
    for kind, t in (("out", y), ("grad", g), ("second", h)):
        # PyTorch has zeros without memory, which only arithmetic reads.
        found = (t.detach() + torch.zeros(t.shape, dtype=T)).flatten().tolist()
        if len(found) == len(values):
            found = [RIGHT.get((name, kind, x), finite(name, kind, x, v, values)) for x, v in zip(values, found)]
        line(kind, found)


for name, f in EACH.items():
    case(name, f, POINTS, False)
for name, f in WHOLE.items():
    for run in RUNS:
        case(name, f, run, True)

PAIR_POINTS = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, INF, -INF, NAN, 20.5, -40.0, 2.0**60]
for name, f in PAIRS.items():
    a = [x for x in PAIR_POINTS for _ in PAIR_POINTS]
    b = PAIR_POINTS * len(PAIR_POINTS)
    x = torch.tensor(a, dtype=T, requires_grad=True)
    z = torch.tensor(b, dtype=T, requires_grad=True)
    y = f(x, z)
    print(f"case {name}OfPairs")
    line("in", a)
    line("in", b)
    for kind, t in zip(("out", "grad", "grad"), (y, *torch.autograd.grad(y.sum(), (x, z)))):
        found = (t.detach() + torch.zeros(t.shape, dtype=T)).tolist()
        line(kind, [RIGHT_OF_PAIR.get((name, kind, u, v), w) for u, v, w in zip(a, b, found)])
