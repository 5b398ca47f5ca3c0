"""The recipes of `hourglass train classify` and their twins in PyTorch, on the
same pixels, one after the other for each seed.

  bench/peers/run classify [lecture] [fast] [--source S] [--seeds 1,2,3] [--epochs N] [--precision bf16]

Hourglass trains first. The twin then reads the run's choices from its
config.json and the decoded pixels from Hourglass's cache, so that both see the
same images, with the same network, loss, optimiser, schedule and changes to
the images; the random numbers differ. Hourglass keeps the epoch that was best
on its validation images; the twin, which learns from as many images, keeps the
last.
"""
import argparse
import base64
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

TRAIN, TEST = 1, 3  # parts of a set, as the cache numbers them


def cached(cache, fingerprint):
    """Images [N,3,H,W] as bytes, labels and parts, from Hourglass's cache."""
    for path in pathlib.Path(cache).rglob("*"):
        if not path.is_file():
            continue
        with open(path, "rb") as f:
            if f.read(8) != b"HGSET01\n":
                continue
            header = json.loads(f.read(int.from_bytes(f.read(8), "little")))
            if header["Fingerprint"] != fingerprint:
                continue
            shape = (len(header["Names"]), header["Height"], header["Width"], header["Channels"])
            pixels = np.frombuffer(f.read(int(np.prod(shape))), np.uint8).reshape(shape)
        parts = np.frombuffer(base64.b64decode(header["Parts"]), np.uint8)
        images = torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).contiguous()
        return images, torch.tensor(header["Labels"]), torch.from_numpy(parts.copy())
    raise SystemExit(f"classify: {cache} does not hold the images of this run")


def settings(text):
    """A text such as "triangle:rise=0.2,start=0.1" as a name and numbers."""
    name, _, rest = text.partition(":")
    return name, {k: float(v) for k, v in (s.split("=") for s in rest.split(",") if s)}


def factor(schedule, step, total):
    """The learning rate's course: one cycle of cosines, or a triangle."""
    name, s = settings(schedule)
    if name == "onecycle":
        first = 1 / s.get("start", 25)
        last = first / s.get("final", 1e4)
        peak = s.get("rise", 0.3) * total - 1
        between = lambda a, b, t: b + (a - b) * (1 + np.cos(np.pi * t)) / 2
        return between(first, 1, step / peak) if 0 < peak and step <= peak else between(1, last, (step - peak) / (total - 1 - peak))
    if name == "triangle":
        peak = s.get("rise", 0.25) * total
        start, final = s.get("start", 0), s.get("final", 0)
        return start + (1 - start) * step / peak if step < peak else 1 + (final - 1) * (step - peak) / max(1, total - peak)
    raise SystemExit(f"classify: the twin has no schedule {name}")


class Standardize(nn.Module):
    def __init__(self, images):
        super().__init__()
        x = images.float() / 255
        self.register_buffer("mean", x.mean((0, 2, 3))[None, :, None, None])
        self.register_buffer("deviation", x.std((0, 2, 3))[None, :, None, None])

    def forward(self, x):
        return (x - self.mean) / self.deviation


def lecture(c, standardize):
    layers, i = [standardize], 3
    for w in c["widths"]:
        for _ in range(2):
            conv = nn.Conv2d(i, w, 3, padding=1, bias=False)
            nn.init.kaiming_normal_(conv.weight)
            layers += [conv, nn.BatchNorm2d(w), nn.ReLU()]
            i = w
        layers.append(nn.MaxPool2d(2))
    side = (c["height"] // 8) * (c["width"] // 8)
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(c["dropout"]), nn.Linear(i * side, len(c["classes"])))


def whitening(x):
    """Eigenvectors of the covariance of 2x2 patches, each over the root of its
    eigenvalue, and their negatives."""
    patches = F.unfold(x, 2).transpose(1, 2).reshape(-1, 4 * x.shape[1]).double()
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    w = (vectors / (values + 5e-4).sqrt()).T.flip(0).reshape(-1, x.shape[1], 2, 2).float()
    return torch.cat([w, -w])


class Scale(nn.Module):
    def forward(self, x):
        return x / 9


def fast(c, standardize):
    def conv(i, o):
        m = nn.Conv2d(i, o, 3, padding=1, bias=False)
        nn.init.dirac_(m.weight.data[:i])
        return m

    def norm(w):
        m = nn.BatchNorm2d(w, 1e-12, 0.4)
        m.weight.requires_grad_(False)
        return m

    first = nn.Conv2d(3, 24, 2)
    layers, i = [standardize, first, nn.GELU()], 24
    for w in c["widths"]:
        layers += [conv(i, w), nn.MaxPool2d(2), norm(w), nn.GELU(), conv(w, w), norm(w), nn.GELU()]
        i = w
    return nn.Sequential(*layers, nn.MaxPool2d(3), nn.Flatten(), nn.Linear(i, len(c["classes"]), bias=False), Scale())


class Muon(torch.optim.Optimizer):
    """Steps of kernels, all singular values of which are brought near 1 (Jordan et al. 2024)."""

    def __init__(self, params, lr, momentum, length, halved):
        super().__init__(params, {"lr": lr, "momentum": momentum})
        self.length, self.halved = length, halved

    @staticmethod
    def orthogonal(x):
        x = x / (x.norm() + 1e-7)
        tall = len(x) > x.shape[1]
        x = x.T if tall else x
        for _ in range(3):
            square = x @ x.T
            x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
        return x.T if tall else x

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if "velocity" not in self.state[p]:
                    self.state[p]["velocity"] = torch.zeros_like(p)
                velocity = self.state[p]["velocity"]
                velocity.mul_(group["momentum"]).add_(p.grad)
                direction = p.grad + group["momentum"] * velocity
                if self.length:
                    p.mul_(self.length * len(p) ** 0.5 / (p.norm() + 1e-7))
                with self.halved:
                    change = self.orthogonal(direction.reshape(len(p), -1))
                p.sub_(change.float().view_as(p), alpha=group["lr"])


class Both:
    """Two optimisers of different parameters as one."""

    def __init__(self, *parts):
        self.parts = parts
        self.param_groups = [group for part in parts for group in part.param_groups]

    def zero_grad(self, **options):
        for part in self.parts:
            part.zero_grad(**options)

    def step(self):
        for part in self.parts:
            part.step()


def precision(c):
    """The context in which products are computed as the run does it."""
    return torch.autocast("cpu", torch.bfloat16, enabled=c.get("precision") == "bf16")


def optimizer(c, net):
    name, s = settings(c["optimizer"])
    params = [(n, p) for n, p in net.named_parameters() if p.requires_grad]
    if name == "muon":
        kernels = [p for _, p in params if p.dim() == 4]
        rest = nesterov([(n, p) for n, p in params if p.dim() != 4], c["lr"] * s.get("rest", 1), s, s.get("rest_momentum", 0.85))
        return Both(Muon(kernels, c["lr"], s.get("momentum", 0.6), s.get("length", 0), precision(c)), rest)
    if name == "adam" and not s:
        return torch.optim.Adam([p for _, p in params], lr=c["lr"], fused=True)
    if name == "adamw":
        decayed, others = [p for _, p in params if p.dim() > 1], [p for _, p in params if p.dim() <= 1]
        groups = [{"params": decayed, "weight_decay": s.get("decay", 0.01)}, {"params": others, "weight_decay": 0}]
        return torch.optim.AdamW(groups, lr=c["lr"], fused=True)
    if name != "nesterov":
        raise SystemExit(f"classify: the twin has no optimiser {c['optimizer']}")
    return nesterov(params, c["lr"], s, s.get("momentum", 0.9))


def nesterov(params, lr, s, momentum):
    groups = []
    for n, p in params:
        plain = p.dim() > 1
        rate = 1 if plain or n == "1.bias" else s.get("bias", 1)  # 1.bias: of the whitening
        groups.append({"params": [p], "lr": lr * rate, "weight_decay": s.get("decay", 0) if plain else 0})
    return torch.optim.SGD(groups, lr=lr, momentum=momentum, nesterov=True)


def smaller(side):
    """The side of the images in the first epochs of fast; see task/classify/progressive.go."""
    last = (side - 1) >> 3
    pool = max(1, min(last, 3))
    least = (last // pool * pool << 3) + 1
    return least if last >= 1 and least >= 0.7 * side else side


class Changes:
    """What is done to training images: mirroring, shifts, reflected at borders, and erasing."""

    def __init__(self, text, n, generator):
        self.what = {k: float(v) if v else 1.0 for k, _, v in (p.partition("=") for p in text.split(",") if p != "none")}
        unknown = set(self.what) - {"flip", "shift", "alternate", "erase"}
        if unknown:
            raise SystemExit(f"classify: the twin has no {', '.join(sorted(unknown))}")
        self.generator = generator
        self.first = torch.rand(n, generator=generator) < 0.5

    def apply(self, x, index, epoch):
        n = len(x)
        if "alternate" in self.what:
            mirror = self.first[index] ^ bool(epoch % 2)
        else:
            mirror = torch.rand(n, generator=self.generator) < (0.5 if "flip" in self.what else 0)
        x = torch.where(mirror[:, None, None, None], x.flip(3), x)
        m = int(self.what.get("shift", 0))
        if m:
            h, w = x.shape[2:]
            padded = F.pad(x.float(), (m, m, m, m), mode="reflect")
            dy, dx = (torch.randint(0, 2 * m + 1, (n, 1), generator=self.generator) for _ in range(2))
            rows, columns = dy + torch.arange(h), dx + torch.arange(w)
            x = padded[torch.arange(n)[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
        if "erase" in self.what:
            x = self.erase(x.float(), self.what["erase"])
        return (x.float() / 255).contiguous(memory_format=torch.channels_last)

    def erase(self, x, most):
        """Random bytes in a rectangle of every other image (Zhong et al. 2020, algorithm 1)."""
        n, c, h, w = x.shape
        for i in (torch.rand(n, generator=self.generator) < 0.5).nonzero().flatten().tolist():
            for _ in range(10):
                u = torch.rand(4, generator=self.generator, dtype=torch.float64)
                area = (0.02 + (most - 0.02) * u[0].item()) * h * w
                ratio = (1 / 0.3) ** (2 * u[1].item() - 1)
                width, height = int((area * ratio) ** 0.5 + 0.5), int((area / ratio) ** 0.5 + 0.5)
                if 1 <= width <= w and 1 <= height <= h:
                    left, top = int(u[2].item() * (w - width + 1)), int(u[3].item() * (h - height + 1))
                    noise = torch.randint(0, 256, (c, height, width), generator=self.generator)
                    x[i, :, top:top + height, left:left + width] = noise.float()
                    break
        return x


def views(tta):
    mirrors = [False] if tta == "none" else [False, True]
    shifts = [(0, 2), (1, 1), (-1, 1)] if tta == "shift" else [(0, 1)]
    return [(m, s, w) for m in mirrors for s, w in shifts]


@torch.inference_mode()
def accuracy(net, images, labels, tta):
    net.eval()
    right = 0
    for at in range(0, len(images), 500):
        x = images[at:at + 500].float() / 255
        padded = F.pad(x, (1, 1, 1, 1), mode="reflect")
        total = 0
        for mirrored, s, weight in views(tta):
            moved = padded[:, :, 1 - s:padded.shape[2] - 1 - s, 1 - s:padded.shape[3] - 1 - s]
            moved = moved.flip(3) if mirrored else moved
            total = total + weight * net(moved.contiguous(memory_format=torch.channels_last))
        right += int((total.argmax(1) == labels[at:at + 500]).sum())
    return right / len(images)


def twin(c, images, labels, parts, seed, compiled):
    """Trains the twin of a run; returns its accuracy and the seconds of training."""
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(seed)
    learnt = torch.nonzero(parts == TRAIN).flatten()
    learnt = learnt[torch.randperm(len(learnt), generator=g)[: c["train"]]]
    test = torch.nonzero(parts == TEST).flatten()
    x, y = images[learnt], labels[learnt]
    some = x[torch.randperm(len(x), generator=g)[:5000]]
    standardize = Standardize(some)
    net = {"lecture": lecture, "fast": fast}[c["recipe"]](c, standardize)
    if c["recipe"] == "fast":
        net[1].weight.data.copy_(whitening(standardize(some.float() / 255)))
        net[1].weight.requires_grad_(False)
    net = net.to(memory_format=torch.channels_last)
    adjust = optimizer(c, net)
    rates = [group["lr"] for group in adjust.param_groups]
    changes = Changes(c["augment"], len(x), g)
    steps = max(1, len(x) // c["batch"])
    total = c["epochs"] * steps
    def step_loss(a, b):
        with precision(c):
            z = net(a)
        return F.cross_entropy(z.float(), b, label_smoothing=c["label_smoothing"])

    early = min(int(c.get("progressive", 0) * c["epochs"] + 0.5), c["epochs"] - 1)
    size = [smaller(c["height"]), smaller(c["width"])]
    if compiled:
        step_loss = torch.compile(step_loss)
    begun = time.perf_counter()
    for epoch in range(c["epochs"]):
        net.train()
        order = torch.randperm(len(x), generator=g)
        for i in range(steps):
            index = order[i * c["batch"]:(i + 1) * c["batch"]]
            f = factor(c["schedule"], epoch * steps + i, total)
            for group, rate in zip(adjust.param_groups, rates):
                group["lr"] = rate * f
            pixels = changes.apply(x[index], index, epoch)
            if epoch < early:
                pixels = F.interpolate(pixels, size, mode="bilinear").contiguous(memory_format=torch.channels_last)
            loss = step_loss(pixels, y[index])
            adjust.zero_grad(set_to_none=True)
            loss.backward()
            adjust.step()
        print(f"  twin: epoch {epoch + 1} of {c['epochs']}, loss {loss.item():.3f}, {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    seconds = time.perf_counter() - begun
    return accuracy(net, images[test], labels[test], c["tta"]), seconds


def ours(a, recipe, seed, home):
    """Trains with Hourglass; returns its result and the run's choices."""
    out = f"{home}/run-{recipe}-{seed}"
    command = [a.hourglass, "train", "classify", a.source, "--recipe", recipe, "--seed", str(seed), "--out", out,
               "--threads", str(a.threads), "--json", "--quiet"]
    if a.epochs:
        command += ["--epochs", str(a.epochs)]
    if a.precision:
        command += ["--precision", a.precision]
    env = os.environ | {"XDG_CACHE_HOME": f"{home}/cache"}
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True)
    with open(f"{out}/config.json") as f:
        return json.loads(done.stdout), json.load(f)["config"]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--hourglass", required=True)
    p.add_argument("recipes", nargs="*", default=["lecture", "fast"])
    p.add_argument("--source", default=os.environ.get("HOURGLASS_DATA", "../shared/data") + "/cifar10-jpeg.tar.gz")
    p.add_argument("--seeds", default="1,2,3")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--epochs", type=int, default=0, help="instead of the recipe's")
    p.add_argument("--precision", default="", help="bf16: of both sides, PyTorch's by autocast")
    p.add_argument("--compile", action="store_true", help="the twin's step by torch.compile")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    table = ["| recipe | seed | Hourglass | PyTorch | training | PyTorch's | ratio |", "|-|-|-|-|-|-|-|"]
    with tempfile.TemporaryDirectory(prefix="hourglass-twins-") as home:
        for recipe in a.recipes or ["lecture", "fast"]:
            differences, ratios = [], []
            for seed in map(int, a.seeds.split(",")):
                result, c = ours(a, recipe, seed, home)
                got, seconds = twin(c, *cached(f"{home}/cache", c["fingerprint"]), seed, a.compile)
                own, took = result["heldout"]["accuracy"], result["seconds"]["train"]
                differences.append(own - got)
                ratios.append(took / seconds)
                table.append(f"| {recipe} | {seed} | {own:.2%} | {got:.2%} | {took:.0f} s | {seconds:.0f} s | {took / seconds:.2f} |")
                print(table[-1], file=sys.stderr)
            table.append(f"| {recipe} | mean | {100 * statistics.mean(differences):+.2f} points | | | | {statistics.median(ratios):.2f} |")
    print("\n".join(table))
    print(f"\nPyTorch {torch.__version__}, {'compiled' if a.compile else 'eager'}, channels last, {a.precision or 'float32'}; {a.threads} threads on both sides.")


if __name__ == "__main__":
    main()
