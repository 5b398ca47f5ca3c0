"""Writes losses.json, PyTorch's word on every loss: value and gradient.

Run it in this folder with a Python that has torch. Everything is computed in
float64 on inputs that float32 can hold. Where PyTorch's loss has no reduction
that sums within an image and averages over the batch, it is the sum divided
by the length of the first axis.
"""
import json

import torch
import torch.nn.functional as F

torch.manual_seed(20260131)


def numbers(*shape, scale=1.0):
    """Normal numbers in multiples of 1/1024, short in decimals."""
    return (torch.randn(*shape, dtype=torch.float64) * scale * 1024).round() / 1024


def listed(t):
    return {"shape": list(t.shape), "data": [float(f"{v:.11g}") for v in t.detach().flatten().tolist()]}


cases = []


def case(name, x, target, loss, **settings):
    """loss(x, target, reduction) with PyTorch's "mean" or "sum"."""
    for reduction, f in {
        "mean_all": lambda x: loss(x, target, "mean"),
        "sum_per_image_mean_batch": lambda x: loss(x, target, "sum") / x.shape[0],
        "sum_all": lambda x: loss(x, target, "sum"),
    }.items():
        leaf = x.clone().requires_grad_()
        value = f(leaf)
        value.backward()
        cases.append({"name": name, "reduction": reduction, "x": listed(x), "target": listed(target),
                      "loss": value.item(), "dx": listed(leaf.grad), **settings})


def classes(x, target, reduction, smoothing):
    return F.cross_entropy(x.movedim(-1, 1), target, reduction=reduction, label_smoothing=smoothing)


for shape in (3, 4), (2, 3, 2, 2):
    x, t = numbers(*shape), numbers(*shape)
    x.view(-1)[0] = t.view(-1)[0]  # a perfect prediction, where L1 has no derivative
    x.view(-1)[1] = t.view(-1)[1] + 1  # the joint of Huber's pieces
    case("squared_error", x, t, lambda x, t, r: F.mse_loss(x, t, reduction=r))
    case("l1", x, t, lambda x, t, r: F.l1_loss(x, t, reduction=r))
    case("huber", x, t, lambda x, t, r: F.huber_loss(x, t, reduction=r), parameter=0)
    case("huber", x, t, lambda x, t, r: F.huber_loss(x, t, reduction=r, delta=0.25), parameter=0.25)
    logits, p = numbers(*shape, scale=4), (numbers(*shape) / 4).abs().clamp(0, 1)
    logits.view(-1)[:3] = torch.tensor([0.0, 80.0, -80.0])
    p.view(-1)[3:6] = torch.tensor([0.0, 1.0, 0.5])
    case("binary_cross_entropy", logits, p, lambda x, t, r: F.binary_cross_entropy_with_logits(x, t, reduction=r))
    logits = numbers(*shape, scale=4)
    logits.view(-1)[0] = 80
    labels = torch.randint(shape[-1], shape[:-1])
    case("softmax_cross_entropy", logits, labels, lambda x, t, r: classes(x, t, r, 0.0), parameter=0)
    case("softmax_cross_entropy", logits, labels, lambda x, t, r: classes(x, t, r, 0.1), parameter=0.1)

def labelled(name, x, target, loss, **settings):
    """A loss of dense labels, which has one way to reduce them."""
    leaf = x.clone().requires_grad_()
    value = loss(leaf, target)
    value.backward()
    cases.append({"name": name, "reduction": "mean_all", "x": listed(x), "target": listed(target),
                  "loss": value.item(), "dx": listed(leaf.grad), **settings})


def weighted(x, target, weights):
    """-100 is PyTorch's own ignored label; others outside the classes become it."""
    kept = torch.where((target >= 0) & (target < x.shape[-1]), target, -100)
    w = None if weights is None else torch.tensor(weights, dtype=torch.float64)
    return F.cross_entropy(x.movedim(-1, 1), kept, weight=w, ignore_index=-100)


def soft_dice(x, target):
    valid = ((target >= 0) & (target < x.shape[-1])).to(x.dtype)[..., None]
    q = F.one_hot(target.clamp(0, x.shape[-1] - 1), x.shape[-1]).to(x.dtype) * valid
    p = torch.softmax(x, -1) * valid
    axes = tuple(range(x.ndim - 1))
    dice = (2 * (p * q).sum(axes) + 1) / (p.sum(axes) + q.sum(axes) + 1)
    present = q.sum(axes) > 0
    return 1 - dice[present].mean()


for shape in (5, 4), (2, 3, 4, 3):
    logits = numbers(*shape, scale=4)
    logits.view(-1)[0] = 80
    labels = torch.randint(shape[-1] - 1, shape[:-1])  # one class never occurs
    labels.view(-1)[1:3] = torch.tensor([shape[-1], 255])  # ignored
    weights = [float(2 ** i) / 2 for i in range(shape[-1])]
    labelled("weighted_cross_entropy", logits, labels, lambda x, t: weighted(x, t, None))
    labelled("weighted_cross_entropy", logits, labels, lambda x, t: weighted(x, t, weights), weights=weights)
    labelled("soft_dice", logits, labels, soft_dice)

with open("losses.json", "w") as f:
    text = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    f.write('{"torch":"%s","cases":[\n%s\n]}\n' % (torch.__version__, text))
