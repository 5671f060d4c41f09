"""The functions that TimedFunctions.java names, in JAX, each one compiled program."""

import jax
import jax.numpy as jnp

import peer

rate, momentum = peer.LEARNING_RATE["sgd"], peer.MOMENTUM


class Function:
    """A function that learns nothing."""

    def __init__(self, operands, call):
        self.operands = operands
        self.call = jax.jit(call)

    def run(self):
        return jax.block_until_ready(self.call(*self.operands))

    def moved(self):
        return 0.0


class Training:
    """The training step of linear layers with an activation in between: SGD with momentum."""

    def __init__(self, activation, widths, x, target, loss):
        self.parameters = [jnp.array(start) for start in peer.layers(widths)]
        self.velocities = [jnp.zeros_like(p) for p in self.parameters]
        self.start = peer.layers(widths)[0]
        self.x, self.target = x, target

        def mean_loss(parameters, x, target):
            *hidden, weight, bias = parameters
            for w, b in zip(hidden[::2], hidden[1::2]):
                x = activation(x @ w.T + b)
            return loss(x @ weight.T + bias, target)

        def step(parameters, velocities, x, target):
            value, gradients = jax.value_and_grad(mean_loss)(parameters, x, target)
            velocities = [momentum * v + g for v, g in zip(velocities, gradients)]
            return [p - rate * v for p, v in zip(parameters, velocities)], velocities, value

        self.step = jax.jit(step, donate_argnums=(0, 1))

    def run(self):
        self.parameters, self.velocities, loss = self.step(self.parameters, self.velocities, self.x, self.target)
        jax.block_until_ready(self.parameters)
        return float(loss)

    def moved(self):
        return float(jnp.mean(jnp.square(self.parameters[0] - self.start)))


class Block:
    """Forward and backward from a given gradient, to the input and the parameters."""

    def __init__(self, call, learned, x, gradient):
        self.operands = (x, learned, gradient)

        def both(x, learned, gradient):
            y, backward = jax.vjp(call, x, learned)
            return y, backward(gradient)

        self.both = jax.jit(both)

    def run(self):
        y, self.gradients = jax.block_until_ready(self.both(*self.operands))
        return y

    def moved(self):
        return float(jnp.mean(jnp.square(self.gradients[0])))


def cross_entropy(logits, labels):
    chances = jax.nn.log_softmax(logits)
    return -jnp.mean(jnp.take_along_axis(chances, labels[:, None], axis=1))


def binary_cross_entropy(logits, target):
    return jnp.mean(jnp.maximum(logits, 0) - logits * target + jnp.log1p(jnp.exp(-jnp.abs(logits))))


def mse(output, target):
    return jnp.mean(jnp.square(output - target))


def exact_gelu(x):
    return jax.nn.gelu(x, approximate=False)


def inputs(*shape):
    return jnp.array(peer.inputs(*shape))


def classifier(rows, *widths):
    labels = jnp.array(peer.labels(rows), jnp.int32)
    return Training(jax.nn.relu, widths, inputs(rows, widths[0]), labels, cross_entropy)


def logistic_regression(rows):
    target = jnp.round(inputs(rows, 1))
    return Training(jax.nn.relu, (10, 1), inputs(rows, 10), target, binary_cross_entropy)


def gelu_mlp(rows):
    width = peer.BLOCK_WIDTH // 4
    widths = (width, peer.BLOCK_WIDTH, width)
    return Training(exact_gelu, widths, inputs(rows, width), inputs(rows, width), mse)


def block_inputs(elements):
    return inputs(elements // peer.BLOCK_WIDTH, peer.BLOCK_WIDTH)


def gelu(x, learned):
    return exact_gelu(x * 1.5 - 0.25)


def softmax(x, learned):
    return jax.nn.softmax(x, axis=1)


def layernorm(x, learned):
    weight, bias = learned
    centered = x - x.mean(axis=-1, keepdims=True)
    variance = jnp.square(centered).mean(axis=-1, keepdims=True)
    return x + centered / jnp.sqrt(variance + 1e-5) * weight + bias


def norm_parameters():
    return jnp.ones(peer.BLOCK_WIDTH), jnp.zeros(peer.BLOCK_WIDTH)


FUNCTIONS = {
    "add": lambda n: Function((inputs(n), inputs(n)), jnp.add),
    "gelu-add": lambda n: Function((inputs(n), inputs(n)), lambda a, b: exact_gelu(a + b)),
    "classifier": lambda rows: classifier(rows, *peer.STEP_WIDTHS),
    "softmax-regression": lambda rows: classifier(rows, 784, 10),
    "logistic-regression": logistic_regression,
    "gelu-mlp": gelu_mlp,
    "gelu-forward": lambda n: Function((block_inputs(n), ()), gelu),
    "gelu": lambda n: Block(gelu, (), block_inputs(n), block_inputs(n)),
    "softmax-forward": lambda n: Function((block_inputs(n), ()), softmax),
    "softmax": lambda n: Block(softmax, (), block_inputs(n), block_inputs(n)),
    "layernorm-forward": lambda n: Function((block_inputs(n), norm_parameters()), layernorm),
    "layernorm": lambda n: Block(layernorm, norm_parameters(), block_inputs(n), block_inputs(n)),
}


def time(name, size, calls, samples):
    return peer.timed(FUNCTIONS[name](int(size)).run, int(samples), int(calls))


def check(form, name, size):
    return peer.check(FUNCTIONS[name](int(size)))
