"""JAX as a peer: each step is one compiled program that overwrites its parameters in place."""

import functools
import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp

import jax_programs
import peer


def mean_loss(parameters, x, labels):
    *hidden, (weight, bias) = parameters
    for w, b in hidden:
        x = jax.nn.relu(x @ w.T + b)
    chances = jax.nn.log_softmax(x @ weight.T + bias)
    return -jnp.mean(jnp.take_along_axis(chances, labels[:, None], axis=1))


def sgd(parameters, state, gradients):
    state = jax.tree.map(lambda v, g: peer.MOMENTUM * v + g, state, gradients)
    return jax.tree.map(lambda p, v: p - peer.LEARNING_RATE["sgd"] * v, parameters, state), state


def adam(parameters, state, gradients):
    first, second, count = state
    count = count + 1
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
    bias1, bias2 = 1 - 0.9**count, 1 - 0.999**count

    def moved(p, m, v):
        return p - peer.LEARNING_RATE["adam"] * (m / bias1) / (jnp.sqrt(v / bias2) + 1e-8)

    return jax.tree.map(moved, parameters, first, second), (first, second, count)


@functools.partial(jax.jit, static_argnums=0, donate_argnums=(1, 2))
def update(optimizer, parameters, state, x, labels):
    loss, gradients = jax.value_and_grad(mean_loss)(parameters, x, labels)
    parameters, state = optimizer(parameters, state, gradients)
    return parameters, state, loss


class Training:
    """Trains linear layers with ReLU in between, from the starting numbers."""

    def __init__(self, optimizer, widths):
        self.parameters = [
            (jnp.array(peer.weights(layer, fan_in, fan_out)), jnp.zeros(fan_out))
            for layer, (fan_in, fan_out) in enumerate(zip(widths, widths[1:]))
        ]
        zeros = functools.partial(jax.tree.map, jnp.zeros_like)
        self.optimizer = {"sgd": sgd, "adam": adam}[optimizer]
        self.state = zeros(self.parameters)
        if optimizer == "adam":
            self.state = (self.state, zeros(self.parameters), jnp.zeros(()))

    def step(self, x, labels):
        self.parameters, self.state, loss = update(self.optimizer, self.parameters, self.state, x, labels)
        jax.block_until_ready(self.parameters)
        return float(loss)


def batch(rows, width):
    return jnp.array(peer.inputs(rows, width)), jnp.array(peer.labels(rows), jnp.int32)


def step(optimizer, rows, samples):
    training = Training(optimizer, peer.STEP_WIDTHS)
    x, labels = batch(int(rows), peer.STEP_WIDTHS[0])
    return peer.timed(lambda: training.step(x, labels), int(samples))


def losses(optimizer, rows, count):
    training = Training(optimizer, peer.STEP_WIDTHS)
    x, labels = batch(int(rows), peer.STEP_WIDTHS[0])
    return {"losses": [training.step(x, labels) for _ in range(int(count))]}


OPS = {
    "exp": jax.jit(lambda a, b: jnp.exp(a)),
    "tanh": jax.jit(lambda a, b: jnp.tanh(a)),
    "add": jax.jit(lambda a, b: a + b),
    "sum": jax.jit(lambda a, b: jnp.sum(a)),
}


def elementwise(op, elements, mode, samples):
    if mode != "new":
        raise ValueError("JAX allocates every result; ask for new")
    n = int(elements)
    a = jnp.array(peer.inputs(n))
    b = a.copy()
    return peer.timed(lambda: OPS[op](a, b).block_until_ready(), int(samples), peer.calls_per_sample(n))


def memory(rows, count):
    training = Training("sgd", peer.MEMORY_WIDTHS)
    training.step(*batch(8, peer.MEMORY_WIDTHS[0]))
    x, labels = batch(int(rows), peer.MEMORY_WIDTHS[0])
    return peer.peak_memory(lambda: [training.step(x, labels) for _ in range(int(count))])


if __name__ == "__main__":
    workloads = {
        "step": step,
        "losses": losses,
        "elementwise": elementwise,
        "memory": memory,
        "compiled": jax_programs.time,
        "check": jax_programs.check,
    }
    peer.serve("JAX", jax.__version__, workloads)
