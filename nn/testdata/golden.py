"""Writes layers.json, PyTorch's word on every layer: forward and gradients.

Run it in this folder with a Python that has torch. Everything is computed in
float64 on inputs that float32 can hold. Images are [N,H,W,C] and weights
[KH,KW,C/groups,K] in the file; the functions below permute them on the way
into PyTorch, so that gradients come out in the file's layout too.

Each case holds the layer as this project writes it, the input x, the factors
dy of the loss sum(y*dy), the parameters, y, dx, the parameters' gradients and,
for training, the states that the step leaves.
"""
import json

import torch
import torch.nn.functional as F

torch.manual_seed(20260131)
cases = []


def numbers(*shape, scale=1.0):
    """Normal numbers in multiples of 1/1024, short in decimals."""
    return (torch.randn(*shape, dtype=torch.float64) * scale * 1024).round() / 1024


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def listed(t):
    """Shape and elements with 11 significant digits."""
    return {"shape": list(t.shape), "data": [float(f"{v:.11g}") for v in t.detach().flatten().tolist()]}


def case(name, layer, x, forward, params=None, states=None, training=False, after=None):
    """forward(x, p) is given all parameters and states by name; after(x, p)
    returns the states that a training step leaves."""
    params = {k: v.clone().requires_grad_() for k, v in (params or {}).items()}
    states = states or {}
    x = x.clone().requires_grad_()
    y = forward(x, {**params, **states})
    dy = numbers(*y.shape)
    (y * dy).sum().backward()
    cases.append({
        "name": name, "layer": layer, "training": training,
        "x": listed(x), "dy": listed(dy), "y": listed(y), "dx": listed(x.grad),
        "params": {k: listed(v) for k, v in {**params, **states}.items()},
        "dparams": {k: listed(v.grad) for k, v in params.items()},
        "after": {k: listed(v) for k, v in (after(x.detach(), {**params, **states}) if after else {}).items()},
    })


def conv(x, p, prefix="", pad=(0, 0, 0, 0), **kw):
    """pad is top, bottom, left, right."""
    t, b, l, r = pad
    x = F.pad(nchw(x), (l, r, t, b))
    return nhwc(F.conv2d(x, p[prefix + "weight"].permute(3, 2, 0, 1), p.get(prefix + "bias"), **kw))


def conv_case(name, settings, x, weight, bias=True, **kw):
    p = {"weight": numbers(*weight, scale=0.5)}
    if bias:
        p["bias"] = numbers(weight[3])
    case(name, {"kind": "conv", **settings}, x, lambda x, p: conv(x, p, **kw), p)


x = numbers(2, 5, 6, 4)
conv_case("conv 3x3", {"out": 3, "kernel": 3}, x, (3, 3, 4, 3), pad=(1, 1, 1, 1))
conv_case("conv strided same, even", {"out": 3, "stride": 2}, numbers(2, 6, 8, 2), (3, 3, 2, 3), pad=(0, 1, 0, 1), stride=2)
conv_case("conv strided same, odd", {"out": 3, "stride": 2}, numbers(2, 7, 5, 2), (3, 3, 2, 3), pad=(1, 1, 1, 1), stride=2)
conv_case("conv same, even kernel", {"out": 2, "kernel": 4}, x, (4, 4, 4, 2), pad=(1, 2, 1, 2))
conv_case("conv valid 1x1", {"out": 5, "kernel": 1, "padding": "valid", "no_bias": True}, x, (1, 1, 4, 5), bias=False)
conv_case("conv of many settings",
          {"out": 6, "kernel": 3, "kernel_width": 2, "stride": 1, "stride_width": 2, "dilation": 2, "dilation_width": 3,
           "padding": [2, 1, 0, 3], "groups": 2},
          numbers(2, 6, 7, 4), (3, 2, 2, 6), pad=(2, 1, 0, 3), stride=(1, 2), dilation=(2, 3), groups=2)
conv_case("conv depthwise", {"kernel": 3, "groups": -1, "no_bias": True}, x, (3, 3, 1, 4), bias=False, pad=(1, 1, 1, 1), groups=4)
conv_case("conv depthwise, multiplier 2", {"out": 8, "kernel": 3, "stride": 2, "padding": [1, 1, 1, 1], "groups": -1}, x,
          (3, 3, 1, 8), pad=(1, 1, 1, 1), stride=2, groups=4)


def transposed_case(name, settings, x, weight, groups=1, bias=True, **kw):
    p = {"weight": numbers(*weight, scale=0.5)}
    if bias:
        p["bias"] = numbers(weight[2] * groups)
    case(name, {"kind": "conv_transpose", **settings}, x,
         lambda x, p: nhwc(F.conv_transpose2d(nchw(x), p["weight"].permute(3, 2, 0, 1), p.get("bias"), groups=groups, **kw)), p)


x = numbers(2, 3, 4, 4)
transposed_case("transposed 4x4 by 2", {"out": 3}, x, (4, 4, 3, 4), stride=2, padding=1)
transposed_case("transposed valid", {"out": 2, "kernel": 3, "padding": "valid", "no_bias": True}, x, (3, 3, 2, 4), bias=False, stride=2)
transposed_case("transposed with output padding", {"out": 2, "kernel": 3, "padding": [1, 1, 1, 1], "output_padding": 1}, x,
                (3, 3, 2, 4), stride=2, padding=1, output_padding=1)
transposed_case("transposed with a named size", {"out": 2, "kernel": 3, "height": 5, "width": 7}, x,
                (3, 3, 2, 4), stride=2, padding=1)
transposed_case("transposed of many settings",
                {"out": 6, "kernel": 2, "kernel_width": 3, "stride": 2, "stride_width": 3, "dilation": 2, "dilation_width": 1,
                 "padding": [1, 1, 2, 2], "groups": 2, "output_padding": 1, "output_padding_width": 2},
                x, (2, 3, 3, 4), groups=2, stride=(2, 3), padding=(1, 2), dilation=(2, 1), output_padding=(1, 2))

case("dense", {"kind": "dense", "out": 5}, numbers(3, 4),
     lambda x, p: F.linear(x, p["weight"].t(), p["bias"]), {"weight": numbers(4, 5), "bias": numbers(5)})
case("dense over the last axis", {"kind": "dense", "out": 2, "no_bias": True}, numbers(2, 3, 2, 4),
     lambda x, p: F.linear(x, p["weight"].t()), {"weight": numbers(4, 2)})


def batch_norm(x, p, training, momentum=0.1, eps=1e-5, prefix=""):
    mean, var = p[prefix + "running_mean"].detach().clone(), p[prefix + "running_var"].detach().clone()
    channels_first = x.movedim(-1, 1)
    y = F.batch_norm(channels_first, mean, var, p[prefix + "weight"], p[prefix + "bias"], training, momentum, eps)
    return y.movedim(1, -1), {prefix + "running_mean": mean, prefix + "running_var": var}


def norm_params(c, prefix=""):
    return {prefix + "weight": numbers(c), prefix + "bias": numbers(c)}


def running(c, prefix=""):
    return {prefix + "running_mean": numbers(c), prefix + "running_var": numbers(c).abs() + 0.25}


for shape in (2, 3, 4, 3), (6, 4):
    for settings, kw in ({}, {}), ({"momentum": 0.3, "epsilon": 0.01}, {"momentum": 0.3, "eps": 0.01}):
        kind = f"batch norm of rank {len(shape)}" + (" with settings" if settings else "")
        c = shape[-1]
        for training in True, False:
            case(kind + (" in training" if training else " in use"), {"kind": "batch_norm", **settings},
                 numbers(*shape) + 0.5, lambda x, p: batch_norm(x, p, training, **kw)[0], norm_params(c), running(c), training,
                 (lambda x, p: batch_norm(x, p, True, **kw)[1]) if training else None)

case("layer norm", {"kind": "layer_norm"}, numbers(2, 3, 2, 5),
     lambda x, p: F.layer_norm(x, x.shape[-1:], p["weight"], p["bias"]), norm_params(5))
case("layer norm of vectors", {"kind": "layer_norm", "epsilon": 0.1}, numbers(4, 6),
     lambda x, p: F.layer_norm(x, x.shape[-1:], p["weight"], p["bias"], 0.1), norm_params(6))
case("group norm", {"kind": "group_norm", "groups": 3}, numbers(2, 3, 2, 6),
     lambda x, p: nhwc(F.group_norm(nchw(x), 3, p["weight"], p["bias"])), norm_params(6))
case("group norm, one group", {"kind": "group_norm", "epsilon": 0.1}, numbers(2, 3, 2, 4),
     lambda x, p: nhwc(F.group_norm(nchw(x), 1, p["weight"], p["bias"], 0.1)), norm_params(4))
case("group norm of vectors", {"kind": "group_norm", "groups": 2}, numbers(3, 6),
     lambda x, p: F.group_norm(x, 2, p["weight"], p["bias"]), norm_params(6))
case("l2 normalize", {"kind": "l2_normalize"}, numbers(3, 5), lambda x, p: F.normalize(x, dim=-1))
case("l2 normalize, short vectors", {"kind": "l2_normalize", "epsilon": 0.5}, numbers(3, 5) * torch.tensor([[1], [0.125], [0]]),
     lambda x, p: F.normalize(x, dim=-1, eps=0.5))
case("dropout in use", {"kind": "dropout", "rate": 0.5}, numbers(3, 5), lambda x, p: F.dropout(x, 0.5, False))

x = numbers(5, 8, scale=3)
x[0, 0] = 0  # where some derivatives jump
for name, layer, f in [
    ("relu", {}, F.relu), ("leaky_relu", {}, F.leaky_relu), ("leaky_relu", {"slope": 0.2}, lambda x: F.leaky_relu(x, 0.2)),
    ("relu6", {}, F.relu6), ("silu", {}, F.silu), ("gelu", {}, F.gelu),
    ("gelu", {"tanh": True}, lambda x: F.gelu(x, approximate="tanh")),
    ("sigmoid", {}, torch.sigmoid), ("tanh", {}, torch.tanh), ("softmax", {}, lambda x: F.softmax(x, -1)),
]:
    case(" ".join([name, *map(str, layer.values())]), {"kind": name, **layer}, x, lambda x, p: f(x))

x = numbers(2, 5, 6, 3)
for name, layer, f in [
    ("max pool", {"kind": "max_pool"}, lambda x: F.max_pool2d(x, 2)),
    ("max pool, overlapping", {"kind": "max_pool", "kernel": 3, "stride": 2, "padding": [1, 1, 1, 1]},
     lambda x: F.max_pool2d(x, 3, 2, 1)),
    ("max pool, oblong", {"kind": "max_pool", "kernel": 1, "kernel_width": 3, "stride": 2, "stride_width": 1},
     lambda x: F.max_pool2d(x, (1, 3), (2, 1))),
    ("average pool", {"kind": "avg_pool"}, lambda x: F.avg_pool2d(x, 2)),
    ("average pool over what is there", {"kind": "avg_pool", "kernel": 3, "stride": 2, "padding": [1, 1, 1, 1]},
     lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)),
    ("average pool over the padding too", {"kind": "avg_pool", "kernel": 3, "stride": 2, "padding": [1, 1, 1, 1], "include_pad": True},
     lambda x: F.avg_pool2d(x, 3, 2, 1)),
    ("nearest upsampling", {"kind": "upsample_nearest", "factor": 3}, lambda x: F.interpolate(x, scale_factor=3)),
    ("bilinear upsampling", {"kind": "upsample_bilinear"}, lambda x: F.interpolate(x, scale_factor=2, mode="bilinear")),
    ("bilinear to a size", {"kind": "upsample_bilinear", "height": 7, "width": 4},
     lambda x: F.interpolate(x, size=(7, 4), mode="bilinear")),
    ("crop", {"kind": "crop", "top": 1, "left": 2, "height": 3}, lambda x: x[:, :, 1:4, 2:]),
    ("pad", {"kind": "pad", "top": 1, "bottom": 2, "left": 0, "right": 3}, lambda x: F.pad(x, (0, 3, 1, 2))),
]:
    case(name, layer, x, lambda x, p: nhwc(f(nchw(x))))
case("pixel shuffle", {"kind": "pixel_shuffle"}, numbers(2, 2, 3, 8), lambda x, p: nhwc(F.pixel_shuffle(nchw(x), 2)))
case("global average pool", {"kind": "global_avg_pool"}, x, lambda x, p: nchw(x).mean((2, 3)))
case("reshape", {"kind": "reshape", "shape": [6, 5, 3]}, x, lambda x, p: x.reshape(2, 6, 5, 3))
case("flatten", {"kind": "flatten"}, x, lambda x, p: x.flatten(1))


def conv_norm_relu(x, p, training):
    x = conv(x, p, "0.", pad=(1, 1, 1, 1))
    x, states = batch_norm(x, p, training, prefix="1.")
    return F.relu(x), states


sequential = {"kind": "sequential", "layers": [{"kind": "conv", "out": 3, "no_bias": True}, {"kind": "batch_norm"}, {"kind": "relu"}]}
p = {"0.weight": numbers(3, 3, 2, 3, scale=0.5), **norm_params(3, "1.")}
for training in True, False:
    case("sequence in " + ("training" if training else "use"), sequential, numbers(2, 4, 5, 2),
         lambda x, p: conv_norm_relu(x, p, training)[0], p, running(3, "1."), training,
         (lambda x, p: conv_norm_relu(x, p, True)[1]) if training else None)
case("residual", {"kind": "residual", "body": {"kind": "conv"}}, numbers(2, 4, 3, 2),
     lambda x, p: x + conv(x, p, "body.", pad=(1, 1, 1, 1)),
     {"body.weight": numbers(3, 3, 2, 2), "body.bias": numbers(2)})
case("residual with a shortcut",
     {"kind": "residual", "body": {"kind": "conv", "out": 3, "stride": 2, "padding": [1, 1, 1, 1]},
      "shortcut": {"kind": "conv", "out": 3, "kernel": 1, "stride": 2, "padding": "valid", "no_bias": True}},
     numbers(2, 4, 5, 2),
     lambda x, p: conv(x, p, "body.", pad=(1, 1, 1, 1), stride=2) + conv(x, p, "shortcut.", stride=2),
     {"body.weight": numbers(3, 3, 2, 3), "body.bias": numbers(3), "shortcut.weight": numbers(1, 1, 2, 3)})
case("concat", {"kind": "concat", "branches": [{"kind": "conv", "out": 1, "kernel": 1}, {"kind": "tanh"}]}, numbers(2, 2, 3, 2),
     lambda x, p: torch.cat([conv(x, p, "0."), torch.tanh(x)], -1), {"0.weight": numbers(1, 1, 2, 1), "0.bias": numbers(1)})
case("concat, cropped", {"kind": "concat", "branches": [{"kind": "sequential"}, {"kind": "sequential", "layers": [
         {"kind": "max_pool", "padding": "same"}, {"kind": "conv_transpose", "out": 1, "kernel": 2}]}], "crop": True}, numbers(2, 3, 5, 2),
     lambda x, p: torch.cat([x, nhwc(F.conv_transpose2d(F.max_pool2d(nchw(x), 2, ceil_mode=True),
                                                        p["1.1.weight"].permute(3, 2, 0, 1), p["1.1.bias"], stride=2))[:, :3, :5]], -1),
     {"1.1.weight": numbers(2, 2, 1, 2), "1.1.bias": numbers(1)})


def gdn(x, p, inverse):
    root = (p["beta"] ** 2 + 1e-6 + torch.einsum("nhwj,ji->nhwi", x * x, p["gamma"] ** 2)).sqrt()
    return x * root if inverse else x / root


for inverse in False, True:
    case("gdn" + (", inverse" if inverse else ""), {"kind": "gdn", "inverse": inverse}, numbers(2, 3, 2, 4),
         lambda x, p: gdn(x, p, inverse), {"beta": numbers(4), "gamma": numbers(4, 4)})

factors, offsets = numbers(4), numbers(4)
case("affine", {"kind": "affine", "scale": factors.tolist(), "offset": offsets.tolist()}, numbers(2, 3, 2, 4),
     lambda x, p: x * factors + offsets)

with open("layers.json", "w") as f:
    text = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    f.write('{"torch":"%s","cases":[\n%s\n]}\n' % (torch.__version__, text))
