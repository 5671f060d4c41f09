"""Trains 784-512-256-10 on Fashion-MNIST with PyTorch, as toydiff's example does: python fashion_peer.py FOLDER BATCH EPOCHS

Prints the seconds and the test accuracy of each epoch. The images are held as bytes, and are scaled batch by batch in an
order that is reshuffled each epoch.
"""
import gzip, sys, time
import torch
import torch.nn.functional as F


def read(folder, part):
    with gzip.open(f"{folder}/{part}-images-idx3-ubyte.gz") as f:
        images = torch.frombuffer(bytearray(f.read()[16:]), dtype=torch.uint8).view(-1, 784)
    with gzip.open(f"{folder}/{part}-labels-idx1-ubyte.gz") as f:
        labels = torch.frombuffer(bytearray(f.read()[8:]), dtype=torch.uint8).long()
    return images, labels


folder, batch, epochs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.manual_seed(0)
x, y = read(folder, "train")
tx, ty = read(folder, "t10k")
net = torch.nn.Sequential(torch.nn.Linear(784, 512), torch.nn.ReLU(), torch.nn.Linear(512, 256), torch.nn.ReLU(),
                          torch.nn.Linear(256, 10))
adam = torch.optim.Adam(net.parameters(), lr=1e-3)
for epoch in range(epochs):
    start = time.perf_counter()
    order = torch.randperm(len(x))
    for i in range(0, len(x), batch):
        rows = order[i:i + batch]
        loss = F.cross_entropy(net(x[rows].float().div_(255)), y[rows])
        adam.zero_grad()
        loss.backward()
        adam.step()
    seconds = time.perf_counter() - start
    with torch.no_grad():
        accuracy = (net(tx.float().div_(255)).argmax(1) == ty).float().mean().item()
    print(f"epoch {epoch + 1}  {seconds:.2f} s  test accuracy {accuracy:.4f}", flush=True)
