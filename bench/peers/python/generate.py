"""The first stage of `hourglass train generate` and its twin in PyTorch, on the
built-in images, one after the other for each seed.

  bench/peers/run generate [--seeds 1,2] [--epochs N] [--latent K]

Hourglass trains a classifier, in whose features images are judged, and then the
first stage. The twin then reads the run's choices from its
config.json and its network from the model, and learns from the same images with
the same loss (the evidence lower bound with the best variance for the batch),
optimiser and schedule; the random numbers differ. Hourglass keeps the epoch that
was best on its validation images; so does the twin, on the same ones. Both are
judged on the held-out images by the same bound, in bits a dimension, and by
images made of random codes: Fréchet distance, precision and recall.
"""
import argparse
import copy
import gzip
import json
import math
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
from safetensors import safe_open

from classify import factor, settings
from twin import Shape, build

LEARNT = 8000  # of the built-in images, from the first on


def images(c):
    """The built-in images [N,1,H,W] as bytes: to learn from, to choose the epoch, held out."""
    with gzip.open("data/builtin/fashion-images.idx3.gz") as f:
        pixels = np.frombuffer(f.read()[16:], np.uint8).reshape(-1, 1, c["height"], c["width"])
    place = np.arange(LEARNT)
    every = LEARNT // c["validation"]
    chosen = (place % every == every // 2) & (place // every < c["validation"])
    x = torch.from_numpy(pixels.copy())
    assert (~chosen).sum() == c["train"] and len(x) - LEARNT == c["heldout"]
    return x[:LEARNT][~chosen], x[:LEARNT][chosen], x[LEARNT:]


class VAE(torch.nn.Module):
    def __init__(self, architecture, c):
        super().__init__()
        self.encoder = build(architecture["encoder"], Shape([c["height"], c["width"], c["channels"]]))
        self.decoder = build(architecture["decoder"], Shape([c["latent"]]))

    def forward(self, x):
        mean, log_variance = self.encoder(x).chunk(2, 1)
        log_variance = log_variance.clamp(-14, 8)
        back = self.decoder(mean + (log_variance / 2).exp() * torch.randn_like(mean))
        divergence = (mean**2 + torch.expm1(log_variance) - log_variance).sum(1) / 2
        return back, divergence


def bits(squared_error, divergence, d, beta):
    nats = (1 + torch.log(2 * math.pi * (squared_error + 1e-6))) / 2 + beta * divergence.mean() / d
    return nats / math.log(2) + math.log2(255)


def pixels(x):
    return (x.float() / 255).contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def passed(net, x):
    net.eval()
    parts = [net(pixels(x[at:at + 500])) for at in range(0, len(x), 500)]
    return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])


def judged(net, learnt, held, d):
    """The evidence lower bound of held-out images in bits a dimension: each value is
    normal around the decoded one, rounded to the nearest of 256 levels."""
    back, _ = passed(net, learnt[:: max(1, len(learnt) // 2000)][:2000])
    some = learnt[:: max(1, len(learnt) // 2000)][:2000]
    sigma = ((back - pixels(some)) ** 2).mean().add(1e-6).sqrt().double()
    back, divergence = passed(net, held)
    v = held.double()
    low = torch.where(held > 0, ((v - 0.5) / 255 - back) / sigma, -torch.inf)
    high = torch.where(held < 255, ((v + 0.5) / 255 - back) / sigma, torch.inf)
    right = low > 0
    low, high = torch.where(right, -high, low), torch.where(right, -low, high)
    a, b = torch.special.log_ndtr(low), torch.special.log_ndtr(high)
    likelihood = b + torch.log1p(-torch.exp(a - b))
    return float((divergence.double().mean() - likelihood.sum() / len(held)) / d / math.log(2))


@torch.inference_mode()
def made(net, n, c, path):
    """Writes n images made of random codes, in IDX format."""
    net.eval()
    with open(path, "wb") as f:
        f.write(struct.pack(">4i", 0x803, n, c["height"], c["width"]))
        for at in range(0, n, 500):
            x = net.decoder(torch.randn(min(500, n - at), c["latent"]))
            f.write((x.clamp(0, 1) * 255).round().byte().contiguous().numpy().tobytes())


def twin(architecture, c, seed, samples):
    """Trains the twin of a run; returns its bits a dimension and the seconds of training,
    and writes as many images as were held out to a file."""
    torch.manual_seed(seed)
    learnt, chosen, held = images(c)
    d = c["height"] * c["width"] * c["channels"]
    net = VAE(architecture, c).to(memory_format=torch.channels_last)
    name, more = settings(c["optimizer"])
    if name != "adamw" or more:
        raise SystemExit(f"generate: the twin has no optimiser {c['optimizer']}")
    decayed = [p for p in net.parameters() if p.dim() > 1]
    plain = [p for p in net.parameters() if p.dim() <= 1]
    adjust = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0}], lr=c["lr"], fused=True)
    steps = len(learnt) // c["batch"]
    total, best, kept = c["epochs"] * steps, math.inf, None
    begun = time.perf_counter()
    for epoch in range(c["epochs"]):
        net.train()
        order = torch.randperm(len(learnt))
        for i in range(steps):
            x = pixels(learnt[order[i * c["batch"]:(i + 1) * c["batch"]]])
            for group in adjust.param_groups:
                group["lr"] = c["lr"] * factor(c["schedule"], epoch * steps + i, total)
            back, divergence = net(x)
            loss = bits(((back - x) ** 2).mean(), divergence, d, c["beta"])
            adjust.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5)
            adjust.step()
        back, divergence = passed(net, chosen)
        now = float(bits(((back - pixels(chosen)) ** 2).mean(), divergence, d, c["beta"]))
        if now < best:
            best, kept = now, copy.deepcopy(net.state_dict())
        print(f"  twin: epoch {epoch + 1} of {c['epochs']}, {now:.4f} bits, {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    seconds = time.perf_counter() - begun
    net.load_state_dict(kept)
    made(net, len(held), c, samples)
    return judged(net, learnt, held, d), seconds


def hourglass(a, out, *command):
    """Runs a training into a folder; returns its result."""
    command = [a.hourglass, "train", *command, "--out", out, "--threads", str(a.threads), "--json", "--quiet"]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def ours(a, seed, home, classifier):
    """Trains with Hourglass; returns its result, its seconds, its network and the run's choices."""
    out = f"{home}/run-{seed}"
    command = ["generate", "fashion", "--prior", "normal", "--features", classifier, "--seed", str(seed)]
    for flag, value in ("--epochs", a.epochs), ("--latent", a.latent):
        command += [flag, str(value)] if value else []
    result = hourglass(a, out, *command)
    with open(f"{out}/summary.json") as f:
        summary = json.load(f)
    with safe_open(f"{out}/model.safetensors", "pt") as f:
        architecture = json.loads(f.metadata()["architecture"])
    return result, summary["stages"]["first"], architecture, summary["config"]


def distance(a, classifier, samples):
    """Compares images with the held-out ones."""
    done = subprocess.run([a.distance, "-features", classifier, samples], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def scores(s):
    return f"{s['frechet']:.2f}, {100 * s['precision']:.0f} %, {100 * s['recall']:.0f} %"


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--hourglass", required=True)
    p.add_argument("--distance", required=True)
    p.add_argument("--seeds", default="1")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--epochs", type=int, default=0, help="instead of the recipe's")
    p.add_argument("--latent", type=int, default=0, help="numbers of a code (default: the recipe's)")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    table = ["| seed | bits a dimension | PyTorch's | Fréchet, precision, recall | PyTorch's | training | PyTorch's | ratio |",
             "|-|-|-|-|-|-|-|-|"]
    differences, ratios = [], []
    with tempfile.TemporaryDirectory(prefix="hourglass-twins-") as home:
        classes = hourglass(a, f"{home}/classes", "classify", "fashion", "--seed", "1")
        classifier, samples = f"{home}/classes/model.safetensors", f"{home}/samples.idx3"
        for seed in map(int, a.seeds.split(",")):
            result, took, architecture, c = ours(a, seed, home, classifier)
            got, seconds = twin(architecture, c, seed, samples)
            theirs = distance(a, classifier, samples)
            own = result["heldout"]["bits_per_dimension"]
            differences.append(own - got)
            ratios.append(took / seconds)
            table.append(f"| {seed} | {own:.4f} | {got:.4f} | {scores(result['heldout']['vae'])} | {scores(theirs)} "
                         f"| {took:.0f} s | {seconds:.0f} s | {took / seconds:.2f} |")
            print(table[-1], file=sys.stderr)
    table.append(f"| mean | {statistics.mean(differences):+.4f} | | | | | | {statistics.median(ratios):.2f} |")
    print("\n".join(table))
    print(f"\nBits a dimension of held-out images at most. Fréchet distance, precision and recall of images made of random codes "
          f"in the features of a classifier of {100 * classes['heldout']['accuracy']:.1f} % of the held-out images. PyTorch {torch.__version__}, eager, channels last; {a.threads} threads on both sides.")


if __name__ == "__main__":
    main()
