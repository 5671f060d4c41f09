"""Writes the files of tensors that the tests of org.toydiff.io read: python3 src/test/python/files.py

Needs numpy, torch and safetensors. What the tests write themselves must be the same bytes.
"""

import hashlib
import json
import pathlib
import struct
import tempfile
import warnings

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


def safetensors():
    save_file(ALL, FOLDER / "all.safetensors", metadata={"purpose": "a <test> & \"more\" ä\n"})
    save_file({}, FOLDER / "nothing.safetensors")
    save_torch(
        {
            "half": torch.arange(3, dtype=torch.float16),
            "brain": torch.arange(4, dtype=torch.bfloat16).reshape(2, 2),
            "byte": torch.arange(5, dtype=torch.uint8),
            "single": torch.arange(6, dtype=torch.float32),
        },
        FOLDER / "others.safetensors",
    )
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


def arrays():
    for dtype in np.float32, np.float64, np.int32, np.int64, np.bool_:
        np.save(FOLDER / f"{np.dtype(dtype).name}.npy", ramp(dtype, 2, 3))
    np.save(FOLDER / "scalar.npy", ramp(np.float64))
    np.save(FOLDER / "vector.npy", ramp(np.int64, 100))
    np.save(FOLDER / "empty.npy", ramp(np.float32, 3, 0))
    np.save(FOLDER / "fortran.npy", np.asfortranarray(ramp(np.float32, 2, 3, 4)))
    # Here nothing is missing to the next 64 bytes, and a whole 64 are added.
    np.save(FOLDER / "padded.npy", ramp(np.float32, *PADDED))
    for name, dtype in ("uint8", np.uint8), ("big", ">f4"), ("text", "<U3"), ("record", [("x", "<f4"), ("y", "<i4")]):
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
        half=np.zeros(2, np.float16),
    )


def many():
    """Too large to keep: more entries than 16 bits count, which gives the end of the archive another form."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "many.npz"
        np.savez(file, **{f"x{i}": np.zeros(0, np.bool_) for i in range(70_000)})
        (FOLDER / "many.npz.sha256").write_text(hashlib.sha256(file.read_bytes()).hexdigest())


FOLDER.mkdir(parents=True, exist_ok=True)
safetensors()
network()
arrays()
archives()
many()
