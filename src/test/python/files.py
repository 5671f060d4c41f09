"""Writes the files of tensors that the tests of org.toydiff.io read: python3 src/test/python/files.py

Needs numpy, ml_dtypes, torch and safetensors. What the tests write themselves must be the same bytes.
"""

import hashlib
import json
import pathlib
import struct
import tempfile
import warnings

import ml_dtypes
import numpy as np
import torch
from numpy.lib import format as npy
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch

FOLDER = pathlib.Path(__file__).parent.parent / "resources" / "org" / "toydiff" / "io"


def ramp(dtype, *shape):
    """0, 1, 2, … in C order; for floats (i - 3) / 4, exact in both."""
    n = int(np.prod(shape))
    values = (np.arange(n) - 3) / 4 if np.dtype(dtype).kind == "f" else np.arange(n)
    return (values % 2 == 1 if dtype == np.bool_ else values.astype(dtype)).reshape(shape)


ALL = {
    "b.weight": ramp(np.float32, 2, 3),
    "a": ramp(np.float64, 3),
    "labels": ramp(np.int64, 5),
    "counts": ramp(np.int32, 2, 1, 2),
    "mask": ramp(np.bool_, 7),
    "scalar": ramp(np.float32),
    "empty": ramp(np.float32, 0, 3),
    "B": ramp(np.float32, 1),
    "größe \"\\/\n\t\x01 😀": ramp(np.float32, 2),
    "\ufb00": ramp(np.float32, 2),
}


# Zeros, denormals, 1, the largest numbers, infinities and NaN of F16 and of BF16, and their negatives.
HALVES = np.array(
    [
        sign | bits
        for sign in (0, 0x8000)
        for bits in (0, 1, 2, 0x7F, 0x80, 0x3FF, 0x400, 0x3555, 0x3C00, 0x3F80, 0x7BFF, 0x7C00, 0x7E00, 0x7F7F, 0x7F80, 0x7FC0)
    ],
    dtype=np.uint16,
)


def safetensors():
    save_file(ALL, FOLDER / "all.safetensors", metadata={"purpose": "a <test> & \"more\" ä\n"})
    save_file({}, FOLDER / "nothing.safetensors")
    converted = {
        "half": torch.from_numpy(HALVES).view(torch.float16).reshape(2, -1),
        "brain": torch.from_numpy(HALVES.copy()).view(torch.bfloat16),
        "byte": torch.arange(256, dtype=torch.uint8),
        "signed byte": torch.arange(-128, 128, dtype=torch.int8),
        "short": torch.tensor([0, 1, -1, 258, -32768, 32767], dtype=torch.int16),
        "word": torch.tensor([0, 1, 258, 32767, 32768, 65535], dtype=torch.int32).to(torch.uint16),
        "unsigned": torch.tensor([0, 1, 2**24 + 1, 2**31 - 1, 2**31, 2**32 - 1]).to(torch.uint32),
        "long word": torch.tensor([0, 1, 2**32, 2**60 + 1, 2**63 - 1]).to(torch.uint64),
    }
    longs = "unsigned", "long word"
    expected = {
        f"{name} converted": x.float() if x.is_floating_point() else x.long() if name in longs else x.int()
        for name, x in converted.items()
    }
    refused = {
        "eight bits": torch.arange(3.0).to(torch.float8_e4m3fn),
        "eight more bits": torch.arange(3.0).to(torch.float8_e5m2),
        "complex": torch.arange(3).to(torch.complex64),
    }
    save_torch(converted | expected | refused, FOLDER / "others.safetensors")
    # Allowed, though the library no longer writes it: a header of any length, and tensors in any order.
    header = json.dumps(
        {
            "mask": {"dtype": "BOOL", "shape": [3], "data_offsets": [0, 3]},
            "w": {"dtype": "F32", "shape": [2], "data_offsets": [3, 11]},
            "n": {"dtype": "I64", "shape": [1], "data_offsets": [11, 19]},
        }
    ).encode()
    header += b" " * (-len(header) % 8 + 2)
    data = struct.pack("<3?2fq", True, False, True, 1.5, -2.5, 2**60 + 1)
    (FOLDER / "misaligned.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + data)


def network():
    """A network after two steps in training mode, and an output that it computes in evaluation mode."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    for _ in range(2):
        net(torch.randn(5, 3) * 2 + 1)
    save_torch(net.state_dict(), FOLDER / "network.safetensors")
    x = torch.randn(6, 3)
    save_torch({"x": x, "y": net.eval()(x).detach()}, FOLDER / "network-output.safetensors")


def convolutions():
    """A network of convolutions and its output."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2), torch.nn.ReLU(), torch.nn.ConvTranspose2d(4, 2, (2, 3)),
        torch.nn.Flatten(2), torch.nn.Conv1d(2, 1, 3, padding="same", padding_mode="circular", bias=False))
    save_torch(net.state_dict(), FOLDER / "convolutions.safetensors")
    x = torch.randn(2, 2, 5, 4)
    save_torch({"x": x, "y": net(x).detach()}, FOLDER / "convolutions-output.safetensors")
def encoder():
    """A layer of a transformer, and its output for a sequence, in which no position sees a later one."""
    torch.manual_seed(0)
    layer = torch.nn.TransformerEncoderLayer(4, 2, 3, batch_first=True).eval()
    torch.nn.init.normal_(layer.self_attn.in_proj_bias)
    save_torch(layer.state_dict(), FOLDER / "encoder.safetensors")
    x = torch.randn(2, 3, 4)
    y = layer(x, src_mask=torch.ones(3, 3, dtype=torch.bool).triu(1), is_causal=True).detach()
    save_torch({"x": x, "y": y}, FOLDER / "encoder-output.safetensors")


def arrays():
    for dtype in np.float32, np.float64, np.int32, np.int64, np.bool_:
        np.save(FOLDER / f"{np.dtype(dtype).name}.npy", ramp(dtype, 2, 3))
    np.save(FOLDER / "bfloat16.npy", ramp(np.float32, 2, 3).astype(ml_dtypes.bfloat16))
    np.save(FOLDER / "scalar.npy", ramp(np.float64))
    np.save(FOLDER / "vector.npy", ramp(np.int64, 100))
    np.save(FOLDER / "empty.npy", ramp(np.float32, 3, 0))
    np.save(FOLDER / "fortran.npy", np.asfortranarray(ramp(np.float32, 2, 3, 4)))
    # Here nothing is missing to the next 64 bytes, and a whole 64 are added.
    np.save(FOLDER / "padded.npy", ramp(np.float32, *PADDED))
    for name, dtype in ("complex64", np.complex64), ("text", "<U3"), ("record", [("x", "<f4"), ("y", "<i4")]):
        np.save(FOLDER / f"{name}.npy", np.zeros(2, dtype))
    for version in (2, 0), (3, 0):
        with open(FOLDER / f"version{version[0]}.npy", "wb") as f, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            npy.write_array(f, ramp(np.float32, 2, 3), version=version)
    # NumPy before 1.14 aligned to 16 bytes, others to none.
    text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }\n"
    (FOLDER / "misaligned.npy").write_bytes(
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + ramp(np.float64, 3).tobytes()
    )


PADDED = next(
    shape
    for rank in range(2, 40)
    for shape in ([1] * rank, [1] * (rank - 1) + [10], [1] * (rank - 1) + [100])
    if (10 + len(f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape)!r}, }}") + 20 + 1) % 64 == 0
)


def archives():
    content = {
        "x": ramp(np.float32, 2, 3),
        "labels": ramp(np.int64, 5),
        "mask": ramp(np.bool_, 7),
        "folder/größe": ramp(np.float64, 2),
        "scalar": ramp(np.int32),
    }
    np.savez(FOLDER / "plain.npz", **content)
    np.savez_compressed(
        FOLDER / "packed.npz",
        **content,
        large=ramp(np.float64, 100, 300) % 7,
        fortran=np.asfortranarray(ramp(np.float32, 2, 3, 4)),
        complex=np.zeros(2, np.complex64),
    )


def dtypes():
    """Arrays that are read by conversion, each with the array that NumPy converts it to."""
    integers = [0, 1, -1, 100, -128, 127, 258, -32768, 32767, 65535, 2**24 + 1, -(2**31), 2**31 - 1, 2**32 - 1, 2**60 + 1]
    integers += [-(2**63), 2**63 - 1]
    content = {}
    for dtype in "|u1", "|i1", "<i2", ">i2", "<u2", ">u2", "<u4", ">u4", "<u8", ">u8", ">i4", ">i8", "<f2", ">f2", ">f4", ">f8", "|b1":
        kind, size = dtype[1], int(dtype[2])
        if kind == "f":
            x = HALVES.view(np.float16).astype(dtype)
            to = np.float64 if size == 8 else np.float32
        elif kind == "b":
            x, to = np.array([True, False, True]), np.bool_
        else:
            limits = np.iinfo(dtype)
            x = np.array([n for n in integers if limits.min <= n <= limits.max], dtype)
            to = np.int64 if size == 8 or dtype[1:] == "u4" else np.int32
        content[dtype] = x.reshape(2, -1) if x.size % 2 == 0 else x
        content[dtype + " converted"] = content[dtype].astype(to)
    content["fortran"] = np.asfortranarray(content[">f2"])
    content["fortran converted"] = np.ascontiguousarray(content["fortran"].astype(np.float32))
    np.savez(FOLDER / "dtypes.npz", **content)


def many():
    """Too large to keep: more entries than 16 bits count, which gives the end of the archive another form."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "many.npz"
        np.savez(file, **{f"x{i}": np.zeros(0, np.bool_) for i in range(70_000)})
        (FOLDER / "many.npz.sha256").write_text(hashlib.sha256(file.read_bytes()).hexdigest())


FOLDER.mkdir(parents=True, exist_ok=True)
safetensors()
network()
convolutions()
encoder()
arrays()
archives()
dtypes()
many()
