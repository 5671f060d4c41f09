"""PyTorch eager as a peer, or `--compile`: torch.compile. `--startup` runs 100 small steps and exits; `--write-losses FILE`
writes the reference losses."""

import json
import os
import sys

import torch
import torch.nn.functional as F

import peer
import torch_layers
import torch_programs

torch.set_num_threads(os.cpu_count())
FUNCTIONS = torch_programs.FUNCTIONS | torch_layers.FUNCTIONS


class Training:
    """Trains linear layers with ReLU in between, from the starting numbers."""

    def __init__(self, optimizer, widths):
        self.parameters = []
        for layer, (fan_in, fan_out) in enumerate(zip(widths, widths[1:])):
            self.parameters.append(torch.from_numpy(peer.weights(layer, fan_in, fan_out)).requires_grad_())
            self.parameters.append(torch.zeros(fan_out, requires_grad=True))
        rate = peer.LEARNING_RATE[optimizer]
        if optimizer == "sgd":
            self.optimizer = torch.optim.SGD(self.parameters, lr=rate, momentum=peer.MOMENTUM)
        else:
            self.optimizer = torch.optim.Adam(self.parameters, lr=rate)

    def step(self, x, labels):
        self.optimizer.zero_grad(set_to_none=True)
        *hidden, weight, bias = self.parameters
        for w, b in zip(hidden[::2], hidden[1::2]):
            x = F.relu(F.linear(x, w, b))
        loss = F.cross_entropy(F.linear(x, weight, bias), labels)
        loss.backward()
        self.optimizer.step()
        return loss.item()


def batch(rows, width):
    return torch.from_numpy(peer.inputs(rows, width)), torch.from_numpy(peer.labels(rows))


def step(optimizer, rows, samples):
    training = Training(optimizer, peer.STEP_WIDTHS)
    x, labels = batch(int(rows), peer.STEP_WIDTHS[0])
    return peer.timed(lambda: training.step(x, labels), int(samples))


def losses(optimizer, rows, count):
    training = Training(optimizer, peer.STEP_WIDTHS)
    x, labels = batch(int(rows), peer.STEP_WIDTHS[0])
    return {"losses": [training.step(x, labels) for _ in range(int(count))]}


def elementwise(op, elements, mode, samples):
    n = int(elements)
    a = torch.from_numpy(peer.inputs(n))
    b = a.clone()
    out = torch.empty(()) if op == "sum" else torch.empty(n)
    calls = {
        ("exp", "new"): lambda: torch.exp(a),
        ("exp", "into"): lambda: torch.exp(a, out=out),
        ("tanh", "new"): lambda: torch.tanh(a),
        ("tanh", "into"): lambda: torch.tanh(a, out=out),
        ("add", "new"): lambda: a + b,
        ("add", "into"): lambda: torch.add(a, b, out=out),
        ("sum", "new"): lambda: torch.sum(a),
        ("sum", "into"): lambda: torch.sum(a, 0, out=out),
    }
    return peer.timed(calls[op, mode], int(samples), peer.calls_per_sample(n))


def gemm(order, m, n, k, threads, samples):
    m, n, k = int(m), int(n), int(k)
    a = torch.from_numpy(peer.inputs(k, m)).t() if order[0] == "T" else torch.from_numpy(peer.inputs(m, k))
    b = torch.from_numpy(peer.inputs(n, k)).t() if order[1] == "T" else torch.from_numpy(peer.inputs(k, n))
    out = torch.empty(m, n)
    calls = max(1, min(10_000, int(1e8 / (m * n * k))))
    all_threads = torch.get_num_threads()
    torch.set_num_threads(int(threads))
    try:
        return peer.timed(lambda: torch.mm(a, b, out=out), int(samples), calls)
    finally:
        torch.set_num_threads(all_threads)


def memory(rows, count):
    training = Training("sgd", peer.MEMORY_WIDTHS)
    training.step(*batch(8, peer.MEMORY_WIDTHS[0]))
    x, labels = batch(int(rows), peer.MEMORY_WIDTHS[0])
    return peer.peak_memory(lambda: [training.step(x, labels) for _ in range(int(count))])


def require_compiler():
    """Compiles a small function, which fails without a C++ compiler."""
    torch.compile(lambda x: torch.relu(x) + 1)(torch.ones(16))


def serve_compiled():
    require_compiler()
    programs = torch_programs.Programs(FUNCTIONS, compiles=True)
    peer.serve("torch.compile", torch.__version__, {"compiled": programs.time, "check": programs.check})


def serve():
    programs = torch_programs.Programs(FUNCTIONS, compiles=False)
    workloads = {
        "step": step,
        "losses": losses,
        "elementwise": elementwise,
        "gemm": gemm,
        "memory": memory,
        "eager": programs.time,
        "check": programs.check,
    }
    peer.serve("PyTorch", torch.__version__, workloads)


def startup():
    x, labels = batch(1437, peer.STARTUP_WIDTHS[0])
    training = Training("adam", peer.STARTUP_WIDTHS)
    for i in range(100):
        at = i % 22 * 64
        loss = training.step(x[at : at + 64], labels[at : at + 64])
    print(json.dumps({"loss": loss}))


def write_losses(path):
    rows = (32, 128, 1024, 8192)
    table = {f"{optimizer} {n}": losses(optimizer, n, 10)["losses"] for optimizer in ("sgd", "adam") for n in rows}
    with open(path, "w") as file:
        file.write("{\n" + ",\n".join(f"  {json.dumps(key)}: {value}" for key, value in table.items()) + "\n}\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["--startup"]:
        startup()
    elif sys.argv[1:2] == ["--write-losses"] and len(sys.argv) == 3:
        write_losses(sys.argv[2])
    elif sys.argv[1:] == ["--compile"]:
        serve_compiled()
    elif sys.argv[1:]:
        sys.exit("usage: torch_peer.py [--compile | --startup | --write-losses FILE]")
    else:
        serve()
