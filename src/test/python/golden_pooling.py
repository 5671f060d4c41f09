"""Writes what PyTorch's pooling and interpolation compute: python golden_pooling.py > ../resources/org/toydiff/golden_pooling.txt

Needs torch==2.13.0 (CPU). The lines are those of golden.py. Numbers of few digits keep the file small.
"""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(3)


def line(kind, tensor):
    tensor = tensor.detach()
    shape = ",".join(map(str, tensor.shape))
    values = " ".join(f"{v:.8g}" for v in tensor.double().flatten().tolist())
    print(f"{kind} {shape} | {values}")


def randn(*shape):
    return torch.randn(*shape).mul(10).round().div(10)


def case(name, f, x):
    leaf = x.clone().requires_grad_()
    out = f(leaf)
    g = randn(*out.shape)
    (grad,) = torch.autograd.grad(out, leaf, g)
    print(f"case {name}")
    line("in", x)
    line("g", g)
    line("out", out)
    line("grad", grad)


nan, inf = float("nan"), float("inf")
special = torch.tensor([[[[1.0, 1, nan, 2], [nan, 1, 3, 3], [-inf, -inf, inf, 0], [-inf, -inf, inf, 0]]]])

case("max2", nn.MaxPool2d(2), randn(2, 3, 4, 5))
case("max2", nn.MaxPool2d(2), special)
case("max2", nn.MaxPool2d(2), torch.ones(1, 2, 4, 4))
case("max2", nn.MaxPool2d(2), randn(3, 6, 4))
case("max3s2p1", nn.MaxPool2d(3, 2, 1), randn(1, 2, 5, 6))
case("max3s2p1", nn.MaxPool2d(3, 2, 1), special)
case("maxRectangle", nn.MaxPool2d((3, 2), (1, 2), (1, 0)), randn(1, 2, 4, 5))
case("maxDilated", nn.MaxPool2d(2, 1, 1, (2, 1)), randn(1, 1, 5, 4))
case("maxCeil", nn.MaxPool2d(2, 2, ceil_mode=True), randn(1, 2, 5, 3))
case("maxCeilPadded", nn.MaxPool2d(3, 2, 1, ceil_mode=True), randn(1, 1, 4, 6))
case("maxApart", nn.MaxPool2d(2, 3), randn(1, 1, 7, 5))
case("maxWhole", nn.MaxPool2d((3, 4)), randn(2, 1, 3, 4))
case("max1d", nn.MaxPool1d(3, 2, 1), randn(2, 3, 7))
case("max1dDilated", nn.MaxPool1d(3, 1, 1, 2, ceil_mode=True), randn(3, 7))
case("avg2", nn.AvgPool2d(2), randn(2, 3, 4, 5))
case("avg3s2p1", nn.AvgPool2d(3, 2, 1), randn(1, 2, 5, 6))
case("avg3s2p1", nn.AvgPool2d(3, 2, 1), special)
case("avgInside", nn.AvgPool2d(3, 2, 1, count_include_pad=False), randn(1, 2, 5, 6))
case("avgCeil", nn.AvgPool2d(3, 2, 1, ceil_mode=True), randn(1, 2, 4, 6))
case("avgCeilInside", nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False), randn(1, 2, 4, 6))
case("avgRectangle", nn.AvgPool2d((2, 3), (2, 1), (0, 1)), randn(2, 4, 5))
case("avg1d", nn.AvgPool1d(3, 2, 1), randn(2, 3, 7))
case("avg1dCeil", nn.AvgPool1d(2, 3, ceil_mode=True), randn(3, 6))
case("adaptive1", nn.AdaptiveAvgPool2d(1), randn(2, 3, 4, 5))
case("adaptive1", nn.AdaptiveAvgPool2d(1), randn(1, 2, 7, 40))
case("adaptive35", nn.AdaptiveAvgPool2d((3, 5)), randn(1, 2, 7, 8))
case("adaptive35", nn.AdaptiveAvgPool2d((3, 5)), randn(2, 2, 3))
case("adaptive1d", nn.AdaptiveAvgPool1d(3), randn(2, 2, 7))
case("nearestSize", lambda x: F.interpolate(x, (7, 3)), randn(1, 2, 3, 5))
case("nearestScale", lambda x: F.interpolate(x, scale_factor=2), randn(1, 2, 3, 2))
case("nearestFraction", lambda x: F.interpolate(x, scale_factor=(1.7, 0.6)), randn(1, 1, 5, 7))
case("nearest1d", lambda x: F.interpolate(x, 7), randn(1, 2, 3))
case("bilinearSize", lambda x: F.interpolate(x, (7, 3), mode="bilinear"), randn(1, 2, 3, 5))
case("bilinearScale", lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"), randn(1, 2, 3, 2))
case("bilinearFraction", lambda x: F.interpolate(x, scale_factor=(1.7, 0.6), mode="bilinear"), randn(1, 1, 5, 7))
case("bilinearAligned", lambda x: F.interpolate(x, (7, 3), mode="bilinear", align_corners=True), randn(1, 2, 3, 5))
case("bilinearAligned1", lambda x: F.interpolate(x, (1, 4), mode="bilinear", align_corners=True), randn(1, 1, 3, 2))
case("linear1d", lambda x: F.interpolate(x, 7, mode="linear"), randn(1, 2, 3))
