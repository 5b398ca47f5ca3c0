"""`hourglass train segment --net unet` and its twin in PyTorch, on the same
pixels and masks, one after the other for each seed.

  bench/peers/run segment [--source S] [--seeds 1,2] [--epochs N] [--width W] [--size N]

Hourglass trains first. The twin then reads the run's choices from its
config.json, the decoded images from Hourglass's cache and the masks from the
source, so that both see the same, with the same network, loss, weights of the
classes, optimiser, schedule, average of the weights, and changes to the images;
the random numbers differ. Both look at an image once in use, keep the epoch
that is best on the validation part, and are judged once on the test part.
"""
import argparse
import copy
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
from PIL import Image
from torch import nn

from classify import factor, settings

TRAIN, VAL, TEST = 1, 2, 3  # parts of a set, as the cache numbers them
IGNORED = 255
CAMVID = ["--names", "sky,building,pole,road,pavement,tree,sign,fence,car,pedestrian,bicyclist", "--ignore", "11"]


def pairs(cache, source, c):
    """Images [N,3,H,W] and masks [N,H,W] as bytes, and parts."""
    for path in pathlib.Path(cache).rglob("*.hgset"):
        with open(path, "rb") as f:
            f.read(8)
            header = json.loads(f.read(int.from_bytes(f.read(8), "little")))
            if header["Fingerprint"] != c["fingerprint"]:
                continue
            shape = (len(header["Names"]), header["Height"], header["Width"], header["Channels"])
            pixels = np.frombuffer(f.read(int(np.prod(shape))), np.uint8).reshape(shape)
        break
    else:
        raise SystemExit(f"segment: {cache} does not hold the images of this run")
    table = np.full(256, IGNORED, np.uint8)
    for place, one in enumerate(c["labels"]["classes"]):
        table[one["value"]] = place
    masks = []
    for name in header["Names"]:
        label = Image.open(pathlib.Path(source, name.replace("images/", "labels/")).with_suffix(".png"))
        if label.size != shape[2:0:-1]:
            label = label.resize(shape[2:0:-1], Image.Resampling.NEAREST)
        masks.append(table[np.asarray(label)])
    # Parts come with the names here: the cache holds the images alone.
    parts = [{"train": TRAIN, "val": VAL, "test": TEST}[name.split("/")[0]] for name in header["Names"]]
    return torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2), torch.from_numpy(np.stack(masks)), torch.tensor(parts)


class UNet(nn.Module):
    def __init__(self, channels, width, levels):
        super().__init__()
        self.before = self.double(channels, width)
        if levels:
            self.below = UNet(width, 2 * width, levels - 1)
            self.up = nn.ConvTranspose2d(2 * width, width, 2, 2)
            self.after = self.double(2 * width, width)

    @staticmethod
    def double(i, o):
        layers = []
        for a in i, o:
            conv = nn.Conv2d(a, o, 3, padding=1, bias=False)
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            layers += [conv, nn.BatchNorm2d(o), nn.ReLU()]
        return nn.Sequential(*layers)

    def forward(self, x):
        x = self.before(x)
        if not hasattr(self, "below"):
            return x
        y = self.up(self.below(F.max_pool2d(x, 2, ceil_mode=True)))
        return self.after(torch.cat([x, y[:, :, : x.shape[2], : x.shape[3]]], 1))


def changed(x, y, what, g):
    """Moves images and masks together, reflected at the borders, and recolours
    the images; what is the run's list of changes."""
    n, _, h, w = x.shape
    uniform = lambda s, *shape: (2 * torch.rand(*shape, generator=g) - 1) * s
    x = x.float() / 255
    size = torch.exp(uniform(np.log1p(what.get("scale", 0)), n))
    angle = uniform(what.get("rotate", 0) * np.pi / 180, n)
    mirror = torch.where(torch.rand(n, generator=g) < what.get("flip", 0), -1.0, 1.0)
    dx, dy = uniform(2 * what.get("shift", 0) / w, n), uniform(2 * what.get("shift", 0) / h, n)
    cos, sin = torch.cos(angle) / size, torch.sin(angle) / size
    theta = torch.stack([torch.stack([cos * mirror, -sin * h / w, dx], 1), torch.stack([sin * mirror * w / h, cos, dy], 1)], 1)
    grid = F.affine_grid(theta, x.shape, align_corners=False)
    x = F.grid_sample(x, grid, "bilinear", "reflection", align_corners=False)
    y = F.grid_sample(y[:, None].float(), grid, "nearest", "reflection", align_corners=False)[:, 0].long()
    each = lambda s: (1 + uniform(s, n))[:, None, None, None]
    x = x * each(what.get("brightness", 0))
    mean = x.mean((1, 2, 3), keepdim=True)
    x = mean + (x - mean) * each(what.get("contrast", 0))
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * each(what.get("saturation", 0)) + uniform(what.get("colour", 0), n, 3)[:, :, None, None]
    return x.clamp(0, 1).contiguous(memory_format=torch.channels_last), y


def loss_of(z, y, c, weights):
    ce = F.cross_entropy(z, y, weight=weights, ignore_index=IGNORED)
    if c["loss"] == "ce":
        return ce
    valid = (y != IGNORED)[:, None]
    q = F.one_hot(torch.where(y == IGNORED, 0, y), z.shape[1]).movedim(-1, 1) * valid
    p = torch.softmax(z, 1) * valid
    axes = (0, 2, 3)
    dice = (2 * (p * q).sum(axes) + 1) / (p.sum(axes) + q.sum(axes) + 1)
    dice = 1 - dice[q.sum(axes) > 0].mean()
    return dice if c["loss"] == "dice" else ce + dice


@torch.inference_mode()
def miou(net, images, masks, classes):
    net.eval()
    counts = torch.zeros(classes * classes, dtype=torch.long)
    for at in range(0, len(images), 8):
        y = masks[at:at + 8].long()
        z = net((images[at:at + 8].float() / 255).contiguous(memory_format=torch.channels_last)).argmax(1)
        kept = y != IGNORED
        counts += torch.bincount(y[kept] * classes + z[kept], minlength=classes * classes)
    m = counts.view(classes, classes).double()
    union = m.sum(0) + m.sum(1) - m.diag()
    return (m.diag() / union)[union > 0].mean().item()


def twin(c, weights, images, masks, parts, seed):
    """Trains the twin of a run; returns its mIoU on the test part, and the
    seconds of training."""
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(seed)
    classes = len(c["labels"]["classes"])
    x, y = images[parts == TRAIN], masks[parts == TRAIN]
    width = c.get("net_width", 0) or 32
    net = nn.Sequential(UNet(3, width, 4), nn.Conv2d(width, classes, 1)).to(memory_format=torch.channels_last)
    decayed = [p for p in net.parameters() if p.dim() > 1]
    plain = [p for p in net.parameters() if p.dim() <= 1]
    name, more = settings(c["optimizer"])
    if name != "adamw" or set(more) - {"decay"}:
        raise SystemExit(f"segment: the twin has no optimiser {c['optimizer']}")
    adjust = torch.optim.AdamW([{"params": decayed}, {"params": plain, "weight_decay": 0}], lr=c["lr"], weight_decay=more.get("decay", 0.01), fused=True)
    average = copy.deepcopy(net)
    what = {k: float(v) for k, _, v in (p.partition("=") for p in c["augment"].replace("flip,", "flip=0.5,").split(",") if p != "none")}
    steps = max(1, len(x) // c["batch"])
    total, best, kept = c["epochs"] * steps, -1, None
    begun = time.perf_counter()
    for epoch in range(c["epochs"]):
        net.train()
        order = torch.randperm(len(x), generator=g)
        for i in range(steps):
            index = order[i * c["batch"]:(i + 1) * c["batch"]]
            step = epoch * steps + i
            for group in adjust.param_groups:
                group["lr"] = c["lr"] * factor(c["schedule"], step, total)
            a, b = changed(x[index], y[index], what, g)
            loss = loss_of(net(a), b, c, weights)
            adjust.zero_grad(set_to_none=True)
            loss.backward()
            adjust.step()
            share = min(c["ema"], (1 + step) / (10 + step))
            with torch.no_grad():
                for old, new in zip(average.state_dict().values(), net.state_dict().values()):
                    old.copy_(share * old + (1 - share) * new) if old.is_floating_point() else old.copy_(new)
        score = miou(average, images[parts == VAL], masks[parts == VAL], classes)
        if score > best:
            best, kept = score, copy.deepcopy(average)
        print(f"  twin: epoch {epoch + 1} of {c['epochs']}, loss {loss.item():.3f}, mIoU {score:.3f}, {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    seconds = time.perf_counter() - begun
    return miou(kept, images[parts == TEST], masks[parts == TEST], classes), seconds


def ours(a, seed, home):
    """Trains with Hourglass; returns its result, the run's choices and the
    weights of the classes."""
    out = f"{home}/run-{seed}"
    command = [a.hourglass, "train", "segment", a.source, "--net", "unet", "--tta", "none", "--seed", str(seed), "--out", out,
               "--threads", str(a.threads), "--json", "--quiet"] + CAMVID
    for flag, value in ("--epochs", a.epochs), ("--width", a.width), ("--size", a.size):
        command += [flag, str(value)] if value else []
    done = subprocess.run(command, env=os.environ | {"XDG_CACHE_HOME": f"{home}/cache"}, stdout=subprocess.PIPE, check=True)
    with open(f"{out}/summary.json") as f:
        summary = json.load(f)
    weights = summary.get("weights")
    return json.loads(done.stdout), summary["config"], weights and torch.tensor(weights)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--hourglass", required=True)
    p.add_argument("--source", default=os.environ.get("HOURGLASS_DATA", "../shared/data") + "/camvid")
    p.add_argument("--seeds", default="1")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--epochs", type=int, default=30)
    p.add_argument("--width", type=int, default=0, help="channels at full size (default 32)")
    p.add_argument("--size", type=int, default=0, help="shorter side of the images (default: their own)")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    table = ["| seed | Hourglass | PyTorch | training | PyTorch's | ratio |", "|-|-|-|-|-|-|"]
    differences, ratios = [], []
    with tempfile.TemporaryDirectory(prefix="hourglass-twins-") as home:
        for seed in map(int, a.seeds.split(",")):
            result, c, weights = ours(a, seed, home)
            got, seconds = twin(c, weights, *pairs(f"{home}/cache", a.source, c), seed)
            own, took = result["heldout"]["miou"], result["seconds"]["train"]
            differences.append(own - got)
            ratios.append(took / seconds)
            table.append(f"| {seed} | {own:.2%} | {got:.2%} | {took:.0f} s | {seconds:.0f} s | {took / seconds:.2f} |")
            print(table[-1], file=sys.stderr)
    table.append(f"| mean | {100 * statistics.mean(differences):+.2f} points | | | | {statistics.median(ratios):.2f} |")
    print("\n".join(table))
    print(f"\nmIoU on the test part. PyTorch {torch.__version__}, eager, channels last; {a.threads} threads on both sides.")


if __name__ == "__main__":
    main()
