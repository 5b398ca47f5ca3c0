"""Writes networks.json, PyTorch's word on ready-made networks: their logits.

Run it in this folder with a Python that has torch and torchvision. Networks
that torchvision has are taken from there; the others are written below.
Weights and images follow from a formula that the test knows too, so that the
file holds results only. Numbers of parameters are PyTorch's count.
"""
import json

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

MASK = 0xFFFFFFFF


def uniform(key, n):
    """n numbers in 0-1: element i is the hash of key and i (murmur3's finaliser)."""
    h = (np.arange(n, dtype=np.uint64) + np.uint64(key * 0x9E3779B1 & MASK)) & MASK
    for shift, factor in (16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1):
        h = ((h ^ (h >> np.uint64(shift))) * np.uint64(factor)) & MASK
    return h / 2.0**32


def set_weights(net):
    """Parameters in the order of modules; a weight's layout is [KH,KW,In,Out]."""
    key = 0

    def values(n):
        nonlocal key
        key += 1
        return uniform(key, n)

    def fill(t, v):
        t.data.copy_(torch.tensor(np.ascontiguousarray(v), dtype=torch.float32).reshape(t.shape))

    for m in net.modules():
        if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
            o, i, kh, kw = m.weight.shape
            std = (2 / (kh * kw * i)) ** 0.5
            v = (2 * values(m.weight.numel()) - 1) * std * 3**0.5
            fill(m.weight, v.reshape(kh, kw, i, o).transpose(3, 2, 0, 1))
        elif isinstance(m, nn.Linear):
            std = (2 / m.in_features) ** 0.5
            v = (2 * values(m.weight.numel()) - 1) * std * 3**0.5
            fill(m.weight, v.reshape(m.in_features, m.out_features).T)
        elif isinstance(m, nn.BatchNorm2d):
            fill(m.weight, values(m.num_features) + 0.5)
        elif isinstance(m, GDN):
            fill(m.beta, values(m.beta.numel()) + 0.5)
            fill(m.gamma, values(m.gamma.numel()) * 0.25)
            continue
        else:
            continue
        if m.bias is not None:
            fill(m.bias, values(m.bias.numel()) - 0.5)
        if isinstance(m, nn.BatchNorm2d):
            fill(m.running_mean, values(m.num_features) - 0.5)
            fill(m.running_var, values(m.num_features) + 0.5)


def small(net, width=64):
    """The form of a residual network for images of about 32x32."""
    net.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
    net.maxpool = nn.Identity()
    return net


class UNet(nn.Module):
    """Written from Ronneberger et al. 2015, padded and normalised."""

    def __init__(self, channels, width, levels):
        super().__init__()
        self.before = self.double(channels, width)
        if levels:
            self.below = UNet(width, 2 * width, levels - 1)
            self.up = nn.ConvTranspose2d(2 * width, width, 2, 2)
            self.after = self.double(2 * width, width)

    @staticmethod
    def double(i, o):
        return nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(),
                             nn.Conv2d(o, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU())

    def forward(self, x):
        x = self.before(x)
        if not hasattr(self, "below"):
            return x
        y = self.up(self.below(F.max_pool2d(x, 2, ceil_mode=True)))
        return self.after(torch.cat([x, y[:, :, : x.shape[2], : x.shape[3]]], 1))


class SameConv(nn.Conv2d):
    """TensorFlow's padding: what is odd goes after."""

    def forward(self, x):
        pads = []
        for n, k, s in zip(x.shape[2:], self.kernel_size, self.stride):
            total = max(0, (-(-n // s) - 1) * s + k - n)
            pads = [total // 2, total - total // 2] + pads
        return super().forward(F.pad(x, pads))


class Inverted(nn.Module):
    def __init__(self, i, o, kernel, stride, expansion):
        super().__init__()
        w = expansion * i
        block = lambda a, b, k, s, g=1: [SameConv(a, b, k, s, bias=False, groups=g), nn.BatchNorm2d(b, 1e-3, 0.01), nn.ReLU6()]
        self.body = nn.Sequential(*(block(i, w, 1, 1) if expansion > 1 else []), *block(w, w, kernel, stride, w), *block(w, o, 1, 1)[:2])
        self.skip = stride == 1 and i == o

    def forward(self, x):
        return x + self.body(x) if self.skip else self.body(x)


def lite0(classes):
    """EfficientNet-Lite0: Tan & Le 2019, table 1, without squeeze and excitation."""
    layers = [SameConv(3, 32, 3, 2, bias=False), nn.BatchNorm2d(32, 1e-3, 0.01), nn.ReLU6()]
    i = 32
    for expansion, kernel, stride, n, o in [(1, 3, 1, 1, 16), (6, 3, 2, 2, 24), (6, 5, 2, 2, 40), (6, 3, 2, 3, 80),
                                            (6, 5, 1, 3, 112), (6, 5, 2, 4, 192), (6, 3, 1, 1, 320)]:
        for j in range(n):
            layers.append(Inverted(i, o, kernel, stride if j == 0 else 1, expansion))
            i = o
    return nn.Sequential(*layers, nn.Conv2d(320, 1280, 1, bias=False), nn.BatchNorm2d(1280, 1e-3, 0.01), nn.ReLU6(),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, classes))


class GDN(nn.Module):
    """y = x / sqrt(beta + gamma x^2), or times that root; both are squares of what is stored."""

    def __init__(self, channels, inverse=False):
        super().__init__()
        self.beta = nn.Parameter(torch.empty(channels))
        self.gamma = nn.Parameter(torch.empty(channels, channels))  # [In,Out]
        self.inverse = inverse

    def forward(self, x):
        norm = F.conv2d(x * x, (self.gamma**2).T[:, :, None, None], self.beta**2 + 1e-6)
        return x * (torch.sqrt(norm) if self.inverse else torch.rsqrt(norm))


def codec(width):
    down = lambda i, o: nn.Conv2d(i, o, 5, 2, 2)
    up = lambda i, o: nn.ConvTranspose2d(i, o, 5, 2, 2, 1)
    w = width
    return nn.Sequential(down(3, w), GDN(w), down(w, w), GDN(w), down(w, w), GDN(w), down(w, w),
                         up(w, w), GDN(w, True), up(w, w), GDN(w, True), up(w, w), GDN(w, True), up(w, 3))


tv = torchvision.models
CASES = [
    ("resnet18", tv.resnet18(num_classes=10), (1, 70, 65, 3)),
    ("resnet34", tv.resnet34(num_classes=10), (1, 64, 64, 3)),
    ("resnet50", tv.resnet50(num_classes=10), (1, 64, 64, 3)),
    ("resnet18 small", small(tv.resnet18(num_classes=10)), (1, 16, 15, 3)),
    ("mobilenetv2", tv.mobilenet_v2(num_classes=10), (1, 64, 70, 3)),
    ("efficientnet-lite0", lite0(10), (1, 64, 70, 3)),
    ("unet", nn.Sequential(UNet(3, 8, 3), nn.Conv2d(8, 3, 1)), (1, 13, 18, 3)),
    ("codec", codec(8), (1, 16, 32, 3)),
]
COUNTS = [
    ("resnet18", tv.resnet18()), ("resnet34", tv.resnet34()), ("resnet50", tv.resnet50()),
    ("resnet18 small", small(tv.resnet18(num_classes=10))), ("mobilenetv2", tv.mobilenet_v2()),
    ("efficientnet-lite0", lite0(1000)), ("unet", nn.Sequential(UNet(3, 64, 4), nn.Conv2d(64, 2, 1))),
    ("codec", codec(64)),
]

out = {"torch": torch.__version__, "counts": {n: sum(p.numel() for p in m.parameters()) for n, m in COUNTS}, "cases": []}
for name, net, shape in CASES:
    set_weights(net)
    x = torch.tensor(uniform(0, int(np.prod(shape))).reshape(shape))
    with torch.no_grad():
        y = net.eval().double()(x.permute(0, 3, 1, 2))
    y = y.permute(0, 2, 3, 1) if y.dim() == 4 else y
    out["cases"].append({"name": name, "image": list(shape), "shape": list(y.shape),
                         "y": [float(f"{v:.7g}") for v in y.flatten().tolist()]})
with open("networks.json", "w") as f:
    json.dump(out, f, separators=(",", ":"))
    f.write("\n")
print({c["name"]: (len(c["y"]), max(map(abs, c["y"]))) for c in out["cases"]}, out["counts"])
