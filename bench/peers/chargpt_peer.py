"""Trains the small GPT of toydiff's example with PyTorch: python chargpt_peer.py TEXT INITIAL STEPS

TEXT is the folder or the file, INITIAL the untrained parameters that the example saves by --initial. Sizes, sequences and rates
are the example's defaults, so that the losses are of the same model on the same data. Needs torch and safetensors.
"""
import math, pathlib, sys, time
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

CONTEXT, LAYERS, HEADS, WIDTH, BATCH, RATE, WARM_UP = 128, 4, 4, 128, 32, 2e-3, 50


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1 = torch.nn.LayerNorm(WIDTH)
        self.attention = torch.nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.norm2 = torch.nn.LayerNorm(WIDTH)
        self.up = torch.nn.Linear(WIDTH, 4 * WIDTH)
        self.down = torch.nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x, mask):
        y = self.norm1(x)
        x = x + self.attention(y, y, y, attn_mask=mask, is_causal=True, need_weights=False)[0]
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Gpt(torch.nn.Module):
    def __init__(self, symbols):
        super().__init__()
        self.symbols = torch.nn.Embedding(symbols, WIDTH)
        self.positions = torch.nn.Embedding(CONTEXT, WIDTH)
        self.blocks = torch.nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm = torch.nn.LayerNorm(WIDTH)
        self.head = torch.nn.Linear(WIDTH, symbols, bias=False)
        self.mask = torch.ones(CONTEXT, CONTEXT, dtype=torch.bool).triu(1)

    def forward(self, x):
        y = self.symbols(x) + self.positions(torch.arange(x.shape[1]))
        for block in self.blocks:
            y = block(y, self.mask)
        return self.head(self.norm(y))


class Text:
    def __init__(self, place):
        files = [place] if place.is_file() else sorted(place.rglob("*.java"))
        text = "".join(file.read_text() for file in files)
        symbols = {c: i for i, c in enumerate(sorted(set(text)))}
        self.numbers = torch.tensor([symbols[c] for c in text])
        self.count = len(symbols)
        self.state = 1

    def batch(self, begin, end):
        starts = []
        for _ in range(BATCH):
            self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
            starts.append(begin + (self.state >> 33) % (end - begin - CONTEXT))
        return (torch.stack([self.numbers[s + shift:s + shift + CONTEXT] for s in starts]) for shift in (0, 1))


text, steps = Text(pathlib.Path(sys.argv[1])), int(sys.argv[3])
net = Gpt(text.count)
net.load_state_dict(load_file(sys.argv[2]))
adam = torch.optim.AdamW(net.parameters(), lr=RATE)
falling = max(1, steps - WARM_UP)


def rate(step):
    if step < WARM_UP:
        return RATE * (step + 1) / WARM_UP
    at = min(step - WARM_UP, falling) / falling
    return RATE / 10 + (RATE - RATE / 10) * (1 + math.cos(math.pi * at)) / 2


def loss_of(begin, end):
    x, y = text.batch(begin, end)
    return F.cross_entropy(net(x).flatten(0, 1), y.flatten())


end, total, start = len(text.numbers) // 10 * 9, 0.0, time.perf_counter()
for step in range(steps):
    adam.param_groups[0]["lr"] = rate(step)
    loss = loss_of(0, end)
    adam.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    adam.step()
    total += loss.item()
    if (step + 1) % 50 == 0:
        ms = (time.perf_counter() - start) * 1e3 / (step + 1)
        print(f"step {step + 1:5}/{steps}  loss {total / 50:.4f}  {ms:.0f} ms a step", flush=True)
        total = 0.0
with torch.no_grad():
    print(f"validation loss: {sum(loss_of(end, len(text.numbers)).item() for _ in range(20)) / 20:.4f}")
