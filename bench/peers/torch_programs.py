"""The functions that TimedFunctions.java names, in PyTorch: small ops, training steps, blocks."""

import torch
import torch.nn.functional as F

import peer


class Function:
    """A function that learns nothing."""

    def __init__(self, operands, call):
        self.operands = operands
        self.call = call

    def compile(self):
        self.call = torch.compile(self.call)

    def restart(self):
        """Starts again from the starting numbers."""

    def run(self):
        return self.call(*self.operands)

    def moved(self):
        return 0.0


class Training:
    """A training step: SGD with momentum on `loss(parameters, x, target)`, from starting numbers."""

    def __init__(self, starts, x, target, loss):
        self.starts = starts
        self.parameters = [torch.from_numpy(start.copy()).requires_grad_() for start in starts]
        self.optimizer = torch.optim.SGD(self.parameters, lr=peer.LEARNING_RATE["sgd"], momentum=peer.MOMENTUM)
        self.update = self.optimizer.step
        self.x, self.target = x, target
        self.loss = loss

    def compile(self):
        self.loss = torch.compile(self.loss)
        self.update = torch.compile(self.optimizer.step)

    def restart(self):
        with torch.no_grad():
            for parameter, start in zip(self.parameters, self.starts):
                parameter.copy_(torch.from_numpy(start))
                if parameter in self.optimizer.state:
                    self.optimizer.state[parameter]["momentum_buffer"].zero_()

    def run(self):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(self.parameters, self.x, self.target)
        loss.backward()
        self.update()
        return loss.item()

    def moved(self):
        return (self.parameters[0].detach() - torch.from_numpy(self.starts[0])).square().mean().item()


class Block:
    """Forward and backward from a given gradient; `learned` holds the parameters."""

    def __init__(self, call, learned, x, gradient):
        self.call = call
        self.learned = learned
        self.x = x.requires_grad_()
        self.gradient = gradient

    def compile(self):
        self.call = torch.compile(self.call)

    def restart(self):
        """A block does not change what it starts from."""

    def run(self):
        for tensor in (self.x, *self.learned):
            tensor.grad = None
        y = self.call(self.x)
        y.backward(self.gradient)
        return y.detach()

    def moved(self):
        return self.x.grad.square().mean().item()


def inputs(*shape):
    return torch.from_numpy(peer.inputs(*shape))


def labels(rows):
    return torch.from_numpy(peer.labels(rows))


def linear_layers(activation, widths, x, target, loss):
    """Returns the training step of linear layers with an activation in between."""

    def mean_loss(parameters, x, target):
        *hidden, weight, bias = parameters
        for w, b in zip(hidden[::2], hidden[1::2]):
            x = activation(F.linear(x, w, b))
        return loss(F.linear(x, weight, bias), target)

    return Training(peer.layers(widths), x, target, mean_loss)


def classifier(rows, *widths):
    return linear_layers(F.relu, widths, inputs(rows, widths[0]), labels(rows), F.cross_entropy)


def logistic_regression(rows):
    target = inputs(rows, 1).round()
    return linear_layers(F.relu, (10, 1), inputs(rows, 10), target, F.binary_cross_entropy_with_logits)


def gelu_mlp(rows):
    width = peer.BLOCK_WIDTH // 4
    widths = (width, peer.BLOCK_WIDTH, width)
    return linear_layers(F.gelu, widths, inputs(rows, width), inputs(rows, width), F.mse_loss)


def block_inputs(elements):
    return inputs(elements // peer.BLOCK_WIDTH, peer.BLOCK_WIDTH)


def gelu(x):
    return F.gelu(x * 1.5 - 0.25)


class LayerNorm:
    """x + layer_norm(x)"""

    def __init__(self, learns):
        self.weight = torch.ones(peer.BLOCK_WIDTH, requires_grad=learns)
        self.bias = torch.zeros(peer.BLOCK_WIDTH, requires_grad=learns)

    def __call__(self, x):
        return x + F.layer_norm(x, (peer.BLOCK_WIDTH,), self.weight, self.bias)


def layernorm(elements):
    layer = LayerNorm(learns=True)
    return Block(layer, (layer.weight, layer.bias), block_inputs(elements), block_inputs(elements))


FUNCTIONS = {
    "add": lambda n: Function((inputs(n), inputs(n)), torch.add),
    "gelu-add": lambda n: Function((inputs(n), inputs(n)), lambda a, b: F.gelu(a + b)),
    "classifier": lambda rows: classifier(rows, *peer.STEP_WIDTHS),
    "softmax-regression": lambda rows: classifier(rows, 784, 10),
    "logistic-regression": logistic_regression,
    "gelu-mlp": gelu_mlp,
    "gelu-forward": lambda n: Function((block_inputs(n),), gelu),
    "gelu": lambda n: Block(gelu, (), block_inputs(n), block_inputs(n)),
    "softmax-forward": lambda n: Function((block_inputs(n),), lambda x: F.softmax(x, 1)),
    "softmax": lambda n: Block(lambda x: F.softmax(x, 1), (), block_inputs(n), block_inputs(n)),
    "layernorm-forward": lambda n: Function((block_inputs(n),), LayerNorm(learns=False)),
    "layernorm": layernorm,
}


class Programs:
    """Answers requests; a compiled function is kept for the next request."""

    def __init__(self, functions, compiles):
        self.functions = functions
        self.compiles = compiles
        self.key = None
        self.function = None

    def of(self, name, size):
        if not self.compiles:
            return self.functions[name](int(size))
        if self.key != (name, size):
            # The compiler takes each new shape of the same code for a change, and after a few it gives up.
            torch._dynamo.reset()
            self.function = self.functions[name](int(size))
            self.function.compile()
            self.key = (name, size)
        self.function.restart()
        return self.function

    def time(self, name, size, calls, samples):
        function = self.of(name, size)
        return peer.timed(function.run, int(samples), int(calls))

    def check(self, form, name, size):
        return peer.check(self.of(name, size))
