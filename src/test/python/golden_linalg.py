"""Writes what PyTorch's linalg and einsum compute: python golden_linalg.py > ../resources/org/toydiff/golden_linalg.txt

Needs torch==2.13.0 (CPU). The lines are those of golden.py, in float64. Vectors of decompositions have no sign of their own, so
that their absolute values are written.
"""
import torch
from torch import linalg

torch.manual_seed(4)
torch.set_default_dtype(torch.float64)


def line(kind, tensor):
    tensor = tensor.detach()
    shape = ",".join(map(str, tensor.shape))
    values = " ".join(f"{v:.14g}" for v in tensor.flatten().tolist())
    print(f"{kind} {shape} | {values}")


def case(name, f, *inputs):
    leaves = [x.clone().requires_grad_() for x in inputs]
    out = f(*leaves)
    g = torch.randn(out.shape).round(decimals=2)
    grads = torch.autograd.grad(out, leaves, g)
    print(f"case {name}")
    for x in inputs:
        line("in", x)
    line("g", g)
    line("out", out)
    for grad in grads:
        line("grad", grad)


def numbers(*shape):
    return torch.randn(shape).round(decimals=2)


def flat(*parts):
    return torch.cat([part.flatten(-2) for part in parts], -1)


def positive(x):
    return x @ x.mT + 0.5 * torch.eye(x.shape[-1])


def symmetric(x):
    return x + x.mT


def svd(x):
    u, s, vt = linalg.svd(x, full_matrices=False)
    return flat(u.abs(), s.unsqueeze(-1), vt.abs())


def eigh(x):
    values, vectors = linalg.eigh(symmetric(x))
    return flat(values.unsqueeze(-1), vectors.abs())


def qr(x):
    q, r = linalg.qr(x)
    return flat(q, r)


case("solve", linalg.solve, numbers(3, 3), numbers(3, 2))
case("solve", linalg.solve, numbers(2, 1, 3, 3), numbers(4, 3, 2))
case("solveVector", linalg.solve, numbers(3, 3), numbers(3))
for upper in (True, False):
    case(
        f"triangularSolve{upper}",
        lambda a, b: linalg.solve_triangular(a, b, upper=upper),
        numbers(3, 3) + 2 * torch.eye(3),
        numbers(2, 3, 2),
    )
for shape in ((4, 2), (2, 4), (2, 3, 3)):
    case("lstsq", lambda a, b: linalg.lstsq(a, b).solution, numbers(*shape), numbers(*shape[:-1], 2))
    case("pinv", linalg.pinv, numbers(*shape))
    case("qr", qr, numbers(*shape))
    case("svd", svd, numbers(*shape))
    case("nuclearNorm", lambda a: linalg.matrix_norm(a, "nuc"), numbers(*shape))
    case("trace", lambda a: a.diagonal(0, -2, -1).sum(-1), numbers(*shape))
    for order in (1, -1, 2, -2, float("inf"), -float("inf")):
        case(f"norm {order}", lambda a: linalg.matrix_norm(a, order), numbers(*shape))
for shape in ((3, 3), (2, 3, 3)):
    case("inverse", linalg.inv, numbers(*shape))
    case("det", linalg.det, numbers(*shape))
    case("logDet", lambda a: linalg.slogdet(a).logabsdet, numbers(*shape))
    case("cholesky", lambda a: linalg.cholesky(positive(a)), numbers(*shape))
    case("eigh", eigh, numbers(*shape))
    for power in (3, -2):
        case(f"matrixPower {power}", lambda a: linalg.matrix_power(a, power), numbers(*shape))

for equation, shapes in (
    ("ij,jk", [(2, 3), (3, 4)]),
    ("...ij,...jk", [(2, 1, 2, 3), (3, 3, 2)]),
    ("i...,i...->...", [(3, 2), (3, 2)]),
    ("bhid,bhjd->bhij", [(2, 2, 3, 4), (2, 2, 3, 4)]),
    ("ii...->i...", [(3, 3, 2)]),
    ("iij,j", [(2, 2, 3), (3,)]),
    ("a...b->b...", [(2, 3, 4)]),
    ("ij,kj,lj,jm->iklm", [(2, 3), (2, 3), (2, 3), (3, 2)]),
    ("ab,bc,cd,de,ea", [(2, 3), (3, 2), (2, 2), (2, 3), (3, 2)]),
    ("ij,ij", [(1, 3), (2, 3)]),
    ("zA,Ab", [(2, 3), (3, 2)]),
):
    case(f"einsum {equation}", lambda *xs: torch.einsum(equation, *xs), *(numbers(*shape) for shape in shapes))
