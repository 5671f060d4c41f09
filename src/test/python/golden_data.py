"""Writes images and what PyTorch computes, as test data: python golden_data.py ../resources/org/toydiff

Needs torch==2.13.0 (CPU). The build never runs this; its output is committed: golden_data.txt, and PNG files of every kind
under images/<class>/, which this script encodes itself (https://www.w3.org/TR/png-3/).

    case resize              in: an image [1, channels, height, width]   out: it in another size
    case png <class>/<file>  out: its RGB bytes [3, height, width]
"""
import pathlib
import struct
import sys
import zlib

import torch
import torch.nn.functional as F

torch.manual_seed(0)
root = pathlib.Path(sys.argv[1])
golden = open(root / "golden_data.txt", "w")
HEIGHT, WIDTH = 3, 4


def line(kind, tensor):
    shape = ",".join(map(str, tensor.shape))
    values = " ".join(repr(v) for v in tensor.double().flatten().tolist())
    print(f"{kind} {shape} | {values}", file=golden)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(path, depth, colour, rows, rgb, palette=b""):
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    file = root / "images" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + (chunk(b"PLTE", palette) if palette else b"")
        + chunk(b"IDAT", data)
        + chunk(b"IEND", b"")
    )
    print(f"case png {path}", file=golden)
    line("out", rgb)


def resize(shape, size):
    image = torch.rand(shape)
    print("case resize", file=golden)
    line("in", image)
    line("out", F.interpolate(image, size, mode="bilinear", antialias=True))


resize((1, 1, 4, 4), (2, 2))
resize((1, 1, 7, 5), (3, 8))
resize((1, 3, 2, 3), (5, 7))
resize((1, 3, 9, 8), (9, 3))
resize((1, 1, 1, 1), (3, 2))
resize((1, 1, 11, 13), (1, 1))

rgb = torch.randint(0, 256, (3, HEIGHT, WIDTH))
grey = torch.randint(0, 256, (HEIGHT, WIDTH))
pixels = rgb.permute(1, 2, 0).tolist()
as_grey = grey.expand(3, HEIGHT, WIDTH)
png("a_colour/alpha.png", 8, 6, [bytes(v for p in row for v in p + [77]) for row in pixels], rgb)
png("a_colour/deep.png", 16, 2, [b"".join(struct.pack(">H", 257 * v) for p in row for v in p) for row in pixels], rgb)
png("a_colour/plain.png", 8, 2, [bytes(v for p in row for v in p) for row in pixels], rgb)
palette = [[200, 10, 30], [0, 255, 7], [90, 91, 92]]
indices = torch.randint(0, 3, (HEIGHT, WIDTH))
png(
    "b_indexed/palette.png", 8, 3, [bytes(row) for row in indices.tolist()],
    torch.tensor(palette)[indices].permute(2, 0, 1), bytes(v for p in palette for v in p))
bits = torch.randint(0, 2, (HEIGHT, WIDTH))
png(
    "b_indexed/bits.png", 1, 0, [bytes([sum(b << (7 - i) for i, b in enumerate(row))]) for row in bits.tolist()],
    (255 * bits).expand(3, HEIGHT, WIDTH))
png("c_grey/alpha.png", 8, 4, [bytes(v for g in row for v in (g, 77)) for row in grey.tolist()], as_grey)
png("c_grey/deep.png", 16, 0, [b"".join(struct.pack(">H", 257 * g) for g in row) for row in grey.tolist()], as_grey)
png("c_grey/plain.png", 8, 0, [bytes(row) for row in grey.tolist()], as_grey)
