"""Writes how PyTorch's optimizers and schedules go: python golden_optim.py > ../resources/org/toydiff/golden_optim.txt

Needs torch==2.13.0 (CPU). A case of an optimizer has a parameter and its gradients of 20 steps as inputs, and the parameter
after each step as output; a case of a schedule has the learning rates of 60 steps.
"""
import torch
from torch.optim import lr_scheduler as s

torch.manual_seed(2)


def line(kind, tensor):
    tensor = tensor.detach()
    shape = ",".join(map(str, tensor.shape))
    values = " ".join(repr(v) for v in tensor.double().flatten().tolist())
    print(f"{kind} {shape} | {values}")


def optimizer(name, make, steps=20):
    start = torch.randn(3, 7)
    gradients = torch.randn(steps, 3, 7)
    p = start.clone().requires_grad_()
    o = make([p])
    path = []
    for g in gradients:
        p.grad = g.clone()
        o.step()
        path.append(p.detach().clone())
    print(f"case {name}")
    line("in", start)
    line("in", gradients)
    line("out", torch.stack(path))


def schedule(name, make, steps=60):
    o = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    scheduler = make(o)
    rates = []
    for _ in range(steps):
        rates.append(o.param_groups[0]["lr"])
        o.step()
        scheduler.step()
    print(f"case {name}")
    line("out", torch.tensor(rates, dtype=torch.float64))


def plateau(name, steps=60, **settings):
    o = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    scheduler = s.ReduceLROnPlateau(o, factor=0.5, patience=3, **settings)
    metrics = torch.rand(steps, dtype=torch.float64) + 5 / torch.arange(1, steps + 1)
    rates = []
    for m in metrics.tolist():
        scheduler.step(m)
        rates.append(o.param_groups[0]["lr"])
    print(f"case {name}")
    line("in", metrics)
    line("out", torch.tensor(rates, dtype=torch.float64))


def chain(name, make, joins, steps=60):
    """Several schedulers, a plateau among them, of one optimizer, to which a group is added after `joins` steps."""
    o = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    schedulers = make(o)
    metrics = torch.rand(steps, dtype=torch.float64) + 5 / torch.arange(1, steps + 1)
    rates = []
    for i, m in enumerate(metrics.tolist()):
        if i == joins:
            o.add_param_group({"params": [torch.zeros(1, requires_grad=True)], "lr": 0.3})
        rates.append([g["lr"] for g in o.param_groups] + [0.0] * (2 - len(o.param_groups)))
        o.step()
        for scheduler in schedulers:
            scheduler.step(*[m] * isinstance(scheduler, s.ReduceLROnPlateau))
    print(f"case {name}")
    line("in", metrics)
    line("out", torch.tensor(rates, dtype=torch.float64))


t = torch.optim
optimizer("sgd", lambda p: t.SGD(p, 0.1, weight_decay=0.01))
optimizer("momentum", lambda p: t.SGD(p, 0.1, momentum=0.9, weight_decay=0.01))
optimizer("nesterov", lambda p: t.SGD(p, 0.1, momentum=0.9, weight_decay=0.01, nesterov=True))
optimizer("adam", lambda p: t.Adam(p, 0.01))
optimizer("adamDecay", lambda p: t.Adam(p, 0.01, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1))
optimizer("adamW", lambda p: t.AdamW(p, 0.01))
optimizer("adamWDecay", lambda p: t.AdamW(p, 0.01, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.3))
optimizer("rmsProp", lambda p: t.RMSprop(p, 0.01))
optimizer("rmsPropMomentum", lambda p: t.RMSprop(p, 0.01, alpha=0.9, eps=1e-6, momentum=0.8, weight_decay=0.1))
optimizer("adagrad", lambda p: t.Adagrad(p, 0.1))
optimizer("adagradDecay", lambda p: t.Adagrad(p, 0.1, lr_decay=0.05, weight_decay=0.1, eps=1e-6))

schedule("step", lambda o: s.StepLR(o, 7, 0.6))
schedule("cosine", lambda o: s.CosineAnnealingLR(o, 59, 0.02))
schedule("linear", lambda o: s.LinearLR(o, 0.1, 1.0, 20))
schedule("oneCycle", lambda o: s.OneCycleLR(o, 0.5, total_steps=61, cycle_momentum=False))
schedule("warmUp", lambda o: s.SequentialLR(o, [s.LinearLR(o, 0.1, 1, 9), s.CosineAnnealingLR(o, 51, 0)], [9]))
plateau("plateau")
plateau("plateauThreshold", threshold=0.1)
plateau("plateauAbsolute", threshold=0.3, threshold_mode="abs")
plateau("plateauCooldown", cooldown=4)
plateau("plateauMinLr", min_lr=0.07)
plateau("plateauEpsilon", eps=0.03)
plateau("plateauAll", threshold=0.05, threshold_mode="abs", cooldown=2, min_lr=0.01, eps=0.02)
chain("chainSteps", lambda o: [s.StepLR(o, 7, 0.6), s.StepLR(o, 11, 0.8)], 20)
chain("chainWarmUp", lambda o: [s.LinearLR(o, 0.1, 1.0, 9), s.CosineAnnealingLR(o, 70, 0.02)], 5)
chain("chainPlateau", lambda o: [s.CosineAnnealingLR(o, 70, 0.02), s.ReduceLROnPlateau(o, factor=0.5, patience=3)], 30)
chain("chainThree", lambda o: [s.StepLR(o, 7, 0.9), s.LinearLR(o, 0.1, 1.0, 20), s.ReduceLROnPlateau(o, patience=6)], 40)
# Those above draw random numbers: append below.
schedule("sequential", lambda o: s.SequentialLR(
    o, [s.ConstantLR(o, 0.25, 100), s.LinearLR(o, 0.1, 1, 9), s.StepLR(o, 7, 0.6), s.CosineAnnealingLR(o, 25, 0.02)], [4, 15, 35]))
schedule("chained", lambda o: s.ChainedScheduler(
    [s.LinearLR(o, 0.1, 1, 9), s.StepLR(o, 7, 0.6), s.CosineAnnealingLR(o, 70, 0.02)]))
schedule("chainedInSequence", lambda o: s.ChainedScheduler(
    [s.SequentialLR(o, [s.LinearLR(o, 0.1, 1, 9), s.StepLR(o, 11, 0.5)], [9]), s.StepLR(o, 13, 0.8)]))
schedule("multiStep", lambda o: s.MultiStepLR(o, [5, 9, 9, 40], 0.3))
schedule("exponential", lambda o: s.ExponentialLR(o, 0.9))
schedule("polynomial", lambda o: s.PolynomialLR(o, 45, 1.7))
schedule("warmRestarts", lambda o: s.CosineAnnealingWarmRestarts(o, 7, 1, 0.02))
schedule("warmRestartsLonger", lambda o: s.CosineAnnealingWarmRestarts(o, 5, 2, 0.02))
schedule("constant", lambda o: s.ConstantLR(o, 0.25, 11))
optimizer("dampening", lambda p: t.SGD(p, 0.1, momentum=0.9, dampening=0.3), 10)
optimizer("maximize", lambda p: t.SGD(p, 0.1, momentum=0.9, weight_decay=0.01, maximize=True), 10)
optimizer("adamMaximize", lambda p: t.Adam(p, 0.01, weight_decay=0.1, maximize=True), 10)
optimizer("amsgrad", lambda p: t.Adam(p, 0.01, weight_decay=0.1, amsgrad=True), 10)
optimizer("adamWAmsgrad", lambda p: t.AdamW(p, 0.01, betas=(0.8, 0.9), amsgrad=True), 10)
optimizer("nadam", lambda p: t.NAdam(p, 0.01, weight_decay=0.1), 10)
optimizer("nadamDecoupled", lambda p: t.NAdam(
    p, 0.01, betas=(0.8, 0.99), momentum_decay=0.1, weight_decay=0.1, decoupled_weight_decay=True), 10)
optimizer("radam", lambda p: t.RAdam(p, 0.01, weight_decay=0.1), 10)
optimizer("radamDecoupled", lambda p: t.RAdam(p, 0.01, betas=(0.8, 0.9), weight_decay=0.1, decoupled_weight_decay=True), 10)
optimizer("adamax", lambda p: t.Adamax(p, 0.01), 10)
optimizer("adamaxDecay", lambda p: t.Adamax(p, 0.01, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.1), 10)
optimizer("adadelta", lambda p: t.Adadelta(p, 1.0), 10)
optimizer("adadeltaDecay", lambda p: t.Adadelta(p, 0.5, rho=0.8, eps=1e-3, weight_decay=0.1), 10)
optimizer("centered", lambda p: t.RMSprop(p, 0.01, centered=True, weight_decay=0.1), 10)
optimizer("centeredMomentum", lambda p: t.RMSprop(p, 0.01, alpha=0.9, eps=1e-6, momentum=0.8, centered=True), 10)
