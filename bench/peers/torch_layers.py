"""The functions that LayerFunctions.java names, in PyTorch."""

import math

import numpy as np
import torch
import torch.nn.functional as F

import peer
from torch_programs import Block, Training, inputs, labels

CHANNELS, IMAGE = 64, 56
HEADS, HEAD_WIDTH = 8, 64
HIDDEN, STEPS = 256, 100


class Parameters:
    """The parameters of a net, made one after another; only those of two or more axes are weights."""

    def __init__(self):
        self.starts = []
        self.weights = 0

    def weight(self, *shape):
        start = peer.weights(self.weights, math.prod(shape[1:]), shape[0]).reshape(shape)
        self.weights += 1
        self.starts.append(start)

    def zeros(self, *sizes):
        self.starts += [np.zeros(size, np.float32) for size in sizes]

    def ones(self, size):
        self.starts.append(np.ones(size, np.float32))

    def linear(self, fan_in, fan_out):
        self.weight(fan_out, fan_in)
        self.zeros(fan_out)

    def norm(self, width):
        self.ones(width)
        self.zeros(width)

    def tensors(self):
        return [torch.from_numpy(start.copy()).requires_grad_() for start in self.starts]


def conv2d(images):
    parameters = Parameters()
    parameters.weight(CHANNELS, CHANNELS, 3, 3)
    parameters.zeros(CHANNELS)
    weight, bias = learned = parameters.tensors()
    x, gradient = (inputs(images, CHANNELS, IMAGE, IMAGE) for _ in range(2))
    return Block(lambda x: F.conv2d(x, weight, bias, padding=1), learned, x, gradient)


def attention(length):
    query, key, value, gradient = (inputs(1, HEADS, length, HEAD_WIDTH) for _ in range(4))
    learned = (key.requires_grad_(), value.requires_grad_())
    return Block(lambda query: F.scaled_dot_product_attention(query, *learned), learned, query, gradient)


def lstm(sequences):
    parameters = Parameters()
    parameters.weight(4 * HIDDEN, HIDDEN)
    parameters.weight(4 * HIDDEN, HIDDEN)
    parameters.zeros(4 * HIDDEN, 4 * HIDDEN)
    layer = torch.nn.LSTM(HIDDEN, HIDDEN)
    with torch.no_grad():
        for parameter, start in zip(layer.parameters(), parameters.tensors()):
            parameter.copy_(start)
    x, gradient = (inputs(STEPS, sequences, HIDDEN) for _ in range(2))
    return Block(lambda x: layer(x)[0], tuple(layer.parameters()), x, gradient)


def cnn(images):
    parameters = Parameters()
    parameters.weight(32, 1, 3, 3)
    parameters.zeros(32)
    parameters.weight(64, 32, 3, 3)
    parameters.zeros(64)
    parameters.linear(64 * 7 * 7, 128)
    parameters.linear(128, 10)

    def loss(parameters, x, wanted):
        first, first_bias, second, second_bias, hidden, hidden_bias, output, output_bias = parameters
        y = F.max_pool2d(F.relu(F.conv2d(x, first, first_bias, padding=1)), 2)
        y = F.max_pool2d(F.relu(F.conv2d(y, second, second_bias, padding=1)), 2)
        features = F.relu(F.linear(y.flatten(1), hidden, hidden_bias))
        return F.cross_entropy(F.linear(features, output, output_bias), wanted)

    return Training(parameters.starts, inputs(images, 1, 28, 28), labels(images), loss)


CHARACTERS, LENGTH, WIDTH, ATTENTION_HEADS, BLOCKS = 96, 128, 128, 4, 4


def text(texts, first):
    i = np.arange(first, first + texts * LENGTH, dtype=np.int64)
    return torch.from_numpy((i * 2654435761 % 4093 % CHARACTERS).reshape(texts, LENGTH))


def transformer_block(x, parameters):
    norm1, shift1, to_heads, heads_bias, from_heads, mixed_bias, *more = parameters
    norm2, shift2, widen, wide_bias, narrow, narrow_bias = more
    heads = F.linear(F.layer_norm(x, (WIDTH,), norm1, shift1), to_heads, heads_bias)
    query, key, value = (part.unflatten(2, (ATTENTION_HEADS, -1)).transpose(1, 2) for part in heads.split(WIDTH, 2))
    mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
    y = x + F.linear(mixed.transpose(1, 2).flatten(2), from_heads, mixed_bias)
    wide = F.gelu(F.linear(F.layer_norm(y, (WIDTH,), norm2, shift2), widen, wide_bias))
    return y + F.linear(wide, narrow, narrow_bias)


def chargpt(texts):
    parameters = Parameters()
    parameters.weight(CHARACTERS, WIDTH)
    parameters.weight(LENGTH, WIDTH)
    for _ in range(BLOCKS):
        parameters.norm(WIDTH)
        parameters.linear(WIDTH, 3 * WIDTH)
        parameters.linear(WIDTH, WIDTH)
        parameters.norm(WIDTH)
        parameters.linear(WIDTH, 4 * WIDTH)
        parameters.linear(4 * WIDTH, WIDTH)
    parameters.norm(WIDTH)
    parameters.linear(WIDTH, CHARACTERS)

    def loss(parameters, x, wanted):
        characters, positions, *blocks, norm, shift, output, output_bias = parameters
        y = F.embedding(x, characters) + positions
        for i in range(BLOCKS):
            y = transformer_block(y, blocks[12 * i : 12 * i + 12])
        logits = F.linear(F.layer_norm(y, (WIDTH,), norm, shift), output, output_bias)
        return F.cross_entropy(logits.flatten(0, 1), wanted.flatten())

    return Training(parameters.starts, text(texts, 0), text(texts, 1), loss)


FUNCTIONS = {"conv2d": conv2d, "attention": attention, "lstm": lstm, "cnn": cnn, "chargpt": chargpt}
