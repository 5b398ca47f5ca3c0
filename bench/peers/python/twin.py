"""PyTorch's form of a network that Hourglass describes as JSON.

Modules keep the names of their layers, so that parameters have the same names
on both sides; only layouts differ ([KH,KW,In,Out] there, [Out,In,KH,KW] here).
Images inside are [N,C,H,W]. Layers that no measured network has are refused.
"""
import torch
import torch.nn.functional as F
from torch import nn


class Shape:
    """Channels and rank while a network is built; sizes need not be known."""

    def __init__(self, image):
        self.image = len(image) == 3
        self.channels = image[-1]
        self.size = image[:2] if self.image else None


def pads(layer, default, size, kernel, stride):
    """Top, bottom, left, right of a window over an image of the given size."""
    p = layer.get("padding", default)
    if p == "valid":
        return [0, 0, 0, 0]
    if p != "same":
        return p
    out = []
    for n, k, s in zip(size, kernel, stride):
        total = max(0, (-(-n // s) - 1) * s + k - n)
        out += [total // 2, total - total // 2]
    return out


def pair(layer, name, default):
    a = layer.get(name, 0) or default
    return a, layer.get(name + "_width", 0) or a


def grown(size, p, kernel, stride):
    return [(n + p[2 * i] + p[2 * i + 1] - kernel[i]) // stride[i] + 1 for i, n in enumerate(size)]


class Padded(nn.Module):
    """A window whose sides are padded unevenly, which PyTorch's modules cannot say."""

    def __init__(self, sides, value, window):
        super().__init__()
        self.window, self.sides, self.value = window, sides, value

    def forward(self, x):
        return self.window(F.pad(x, self.sides, value=self.value))


def conv(layer, s):
    k, st = pair(layer, "kernel", 3), pair(layer, "stride", 1)
    groups = layer.get("groups", 0) or 1
    groups = s.channels if groups == -1 else groups
    out = layer.get("out", 0) or s.channels
    p = pads(layer, "same", s.size, k, st)
    even = p[0] == p[1] and p[2] == p[3]
    m = nn.Conv2d(s.channels, out, k, st, (p[0], p[2]) if even else 0, groups=groups, bias=not layer.get("no_bias"))
    s.size, s.channels = grown(s.size, p, k, st), out
    # Named as the layer itself: the wrapper adds a level, which names() undoes.
    return m if even else Padded((p[2], p[3], p[0], p[1]), 0.0, m)


def conv_transpose(layer, s):
    k, st = pair(layer, "kernel", 4), pair(layer, "stride", 2)
    out = layer.get("out", 0) or s.channels
    size = [layer.get("height", 0) or s.size[0] * st[0], layer.get("width", 0) or s.size[1] * st[1]]
    p = pads(layer, "same", size, k, st)
    if layer.get("padding", "same") not in ("same", "valid"):
        extra = pair(layer, "output_padding", 0)
        size = [(s.size[i] - 1) * st[i] + k[i] + extra[i] - p[2 * i] - p[2 * i + 1] for i in range(2)]
    more = [size[i] - ((s.size[i] - 1) * st[i] + k[i] - 2 * p[2 * i]) for i in range(2)]
    crop = any(m < 0 for m in more)
    m = nn.ConvTranspose2d(s.channels, out, k, st, (p[0], p[2]), [max(0, v) for v in more], bias=not layer.get("no_bias"))
    s.size, s.channels = size, out
    return Cropped(m, size) if crop else m


class Cropped(nn.Module):
    def __init__(self, inner, size):
        super().__init__()
        self.window, self.size = inner, size

    def forward(self, x):
        return self.window(x)[:, :, : self.size[0], : self.size[1]]


def max_pool(layer, s):
    k = pair(layer, "kernel", 2)
    st = pair(layer, "stride", k[0])
    p = pads(layer, "valid", s.size, k, st)
    s.size = grown(s.size, p, k, st)
    if p[0] == p[1] and p[2] == p[3]:
        return nn.MaxPool2d(k, st, (p[0], p[2]))
    return Padded((p[2], p[3], p[0], p[1]), float("-inf"), nn.MaxPool2d(k, st))


class GDN(nn.Module):
    def __init__(self, channels, inverse):
        super().__init__()
        self.beta = nn.Parameter(torch.empty(channels))
        self.gamma = nn.Parameter(torch.empty(channels, channels))
        self.inverse = inverse

    def forward(self, x):
        norm = F.conv2d(x * x, (self.gamma**2).T[:, :, None, None], self.beta**2 + 1e-6)
        return x * (torch.sqrt(norm) if self.inverse else torch.rsqrt(norm))


class Residual(nn.Module):
    def __init__(self, body, shortcut):
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x):
        return self.body(x) + (x if self.shortcut is None else self.shortcut(x))


class Concat(nn.Module):
    def __init__(self, branches, crop):
        super().__init__()
        self.crop = crop
        for i, b in enumerate(branches):
            self.add_module(str(i), b)

    def forward(self, x):
        parts = [b(x) for b in self.children()]
        if self.crop:
            h, w = parts[0].shape[2:]
            parts = [p[:, :, :h, :w] for p in parts]
        return torch.cat(parts, 1)


class ToNHWC(nn.Module):
    """Before a vector is made of an image: its elements are in the other library's order."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


class Mean(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


class Fold(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return x.reshape(-1, *self.shape).permute(0, 3, 1, 2)


def build(layer, s):
    kind = layer["kind"]
    if kind == "sequential":
        return nn.Sequential(*[build(l, s) for l in layer.get("layers", [])])
    if kind == "residual":
        before = (s.size, s.channels)
        body = build(layer["body"], s)
        after = (s.size, s.channels)
        shortcut = None
        if "shortcut" in layer:
            s.size, s.channels = before
            shortcut = build(layer["shortcut"], s)
        s.size, s.channels = after
        return Residual(body, shortcut)
    if kind == "concat":
        before, branches, channels, size = (s.size, s.channels), [], 0, None
        for b in layer["branches"]:
            s.size, s.channels = before
            branches.append(build(b, s))
            channels += s.channels
            size = size or s.size
        s.size, s.channels = size, channels
        return Concat(branches, layer.get("crop", False))
    if kind == "dense":
        out = layer.get("out", 0) or s.channels
        m = nn.Linear(s.channels, out, bias=not layer.get("no_bias"))
        s.channels = out
        return m
    if kind == "conv":
        return conv(layer, s)
    if kind == "conv_transpose":
        return conv_transpose(layer, s)
    if kind == "batch_norm":
        norm = nn.BatchNorm2d if s.image else nn.BatchNorm1d
        return norm(s.channels, layer.get("epsilon", 1e-5), layer.get("momentum", 0.1))
    if kind == "group_norm":
        groups = layer.get("groups", 0) or (32 if s.channels >= 32 else 1)
        return nn.GroupNorm(groups, s.channels, layer.get("epsilon", 1e-5))
    if kind == "gdn":
        return GDN(s.channels, layer.get("inverse", False))
    if kind == "max_pool":
        return max_pool(layer, s)
    if kind == "global_avg_pool":
        s.image = False
        return Mean()
    if kind == "flatten":
        if not s.image:
            return nn.Flatten()
        s.image, s.channels = False, s.channels * s.size[0] * s.size[1]
        return ToNHWC()
    if kind == "reshape":
        s.image, s.size, s.channels = True, layer["shape"][:2], layer["shape"][2]
        return Fold(layer["shape"])
    if kind == "dropout":
        return nn.Dropout(layer.get("rate", 0))
    simple = {"relu": nn.ReLU, "relu6": nn.ReLU6, "silu": nn.SiLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "gelu": nn.GELU}
    if kind in simple:
        return simple[kind]()
    raise ValueError(f"the twin has no layer {kind}")


def names(net):
    """Parameters and states by Hourglass's names."""
    tensors = dict(net.named_parameters(prefix="net")) | dict(net.named_buffers(prefix="net"))
    return {k.replace(".window.", "."): v for k, v in tensors.items() if not k.endswith("num_batches_tracked")}


def load(net, params):
    """Sets all parameters; returns the names of dense weights, which are transposed."""
    mine = names(net)
    if set(mine) != set(params):
        raise ValueError(f"parameters differ: {sorted(set(mine) ^ set(params))[:4]}")
    dense = {"net." + n + ".weight" if n else "net.weight" for n, m in net.named_modules() if isinstance(m, nn.Linear)}
    with torch.no_grad():
        for k, v in params.items():
            mine[k].copy_(layout(k, v, dense))
    return dense


def layout(name, value, dense):
    if value.dim() == 4:
        return value.permute(3, 2, 0, 1)
    return value.T if name in dense else value
