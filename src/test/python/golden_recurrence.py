"""Writes what PyTorch's recurrent layers compute: python golden_recurrence.py > ../resources/org/toydiff/golden_recurrence.txt

Needs torch==2.13.0 (CPU) and safetensors. The lines are those of golden.py. Inputs are x, the initial states if they are given, the
lengths if they are given, then the parameters in their order; outputs are the output and the last states, with a g for each; gradients are
those of x, the initial states and the parameters. Beside it the parameters of the cases lstmDeep and lstmProjectedDeep are
saved, as io/lstm.safetensors and io/lstm_projected.safetensors.
"""
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.manual_seed(19)
FILE = pathlib.Path(__file__).parent / "../resources/org/toydiff/io/lstm.safetensors"


def line(kind, tensor):
    tensor = tensor.detach()
    shape = ",".join(map(str, tensor.shape))
    values = " ".join(format(v, ".9g") for v in tensor.flatten().tolist())
    print(f"{kind} {shape} | {values}")


def tensors(results):
    return [results] if isinstance(results, torch.Tensor) else [t for each in results for t in tensors(each)]


def case(name, module, x, states=(), lengths=None):
    x = x.requires_grad_()
    states = [state.requires_grad_() for state in states]
    given = tuple(states) if len(states) == 2 else states[0] if states else None
    if lengths is None:
        results = tensors(module(x) if given is None else module(x, given))
    else:
        first = module.batch_first
        packed = pack_padded_sequence(x, lengths, batch_first=first, enforce_sorted=False)
        y, last = module(packed) if given is None else module(packed, given)
        y, _ = pad_packed_sequence(y, batch_first=first, total_length=x.shape[1 if first else 0])
        results = tensors((y, last))
    gs = [torch.randn(t.shape) for t in results]
    wanted = [x, *states, *module.parameters()]
    grads = torch.autograd.grad(results, wanted, gs)
    print(f"case {name}")
    for t in [x, *states, *([] if lengths is None else [lengths]), *module.parameters()]:
        line("in", t)
    for kind, all in ("g", gs), ("out", results), ("grad", grads):
        for t in all:
            line(kind, t)


def randn(*shape):
    return torch.randn(shape)


case("rnn", nn.RNN(2, 3), randn(4, 3, 2))
case("rnnRelu", nn.RNN(2, 3, nonlinearity="relu", bias=False), randn(4, 3, 2), [randn(1, 3, 3)])
case("rnnPacked", nn.RNN(2, 3, 2, bidirectional=True), randn(4, 3, 2), [randn(4, 3, 3)], torch.tensor([2, 4, 1]))
case("lstm", nn.LSTM(2, 3), randn(4, 3, 2), [randn(1, 3, 3), randn(1, 3, 3)])
case("lstmPacked", nn.LSTM(2, 3, batch_first=True), randn(3, 4, 2), [randn(1, 3, 3), randn(1, 3, 3)], torch.tensor([2, 4, 1]))
deep = nn.LSTM(2, 3, 2, bidirectional=True)
case("lstmDeep", deep, randn(4, 3, 2), (), torch.tensor([3, 4, 2]))
case("lstmOne", nn.LSTM(2, 3), randn(4, 2), [randn(1, 3), randn(1, 3)])
case("gru", nn.GRU(2, 3), randn(4, 3, 2))
case("gruPacked", nn.GRU(2, 3, 2, bias=False, batch_first=True, bidirectional=True), randn(3, 4, 2), [randn(4, 3, 3)],
     torch.tensor([2, 4, 1]))
case("rnnCell", nn.RNNCell(2, 3), randn(3, 2), [randn(3, 3)])
case("lstmCell", nn.LSTMCell(2, 3), randn(3, 2), [randn(3, 3), randn(3, 3)])
case("lstmCellOne", nn.LSTMCell(2, 3), randn(2), [randn(3), randn(3)])
case("gruCell", nn.GRUCell(2, 3), randn(3, 2), [randn(3, 3)])
save_file(deep.state_dict(), FILE)
# After the others, whose numbers stay as they are.
case("lstmProjected", nn.LSTM(2, 4, proj_size=3), randn(4, 3, 2), [randn(1, 3, 3), randn(1, 3, 4)])
case("lstmProjectedPacked", nn.LSTM(2, 3, bias=False, batch_first=True, proj_size=1), randn(3, 4, 2),
     [randn(1, 3, 1), randn(1, 3, 3)], torch.tensor([2, 4, 1]))
projected = nn.LSTM(2, 3, 2, bidirectional=True, proj_size=2)
case("lstmProjectedDeep", projected, randn(4, 3, 2), [randn(4, 3, 2), randn(4, 3, 3)], torch.tensor([3, 4, 2]))
case("lstmProjectedOne", nn.LSTM(2, 3, 2, proj_size=2), randn(4, 2))
save_file(projected.state_dict(), FILE.with_name("lstm_projected.safetensors"))
