"""JAX's side: a whole training step, or a network in use, compiled by XLA."""
import os

import jax
import jax.numpy as jnp
from jax import lax

import protocol

DIMS = ("NHWC", "HWIO", "NHWC")


def pads(layer, default, size, kernel, stride):
    p = layer.get("padding", default)
    if p == "valid":
        return [(0, 0), (0, 0)]
    if p != "same":
        return [(p[0], p[1]), (p[2], p[3])]
    out = []
    for n, k, s in zip(size, kernel, stride):
        total = max(0, (-(-n // s) - 1) * s + k - n)
        out.append((total // 2, total - total // 2))
    return out


def pair(layer, name, default):
    a = layer.get(name, 0) or default
    return a, layer.get(name + "_width", 0) or a


def transposed(layer, p, name, x):
    """The gradient of a convolution by its input, as the definition says."""
    w = p[name + ".weight"]
    k, st = pair(layer, "kernel", 4), pair(layer, "stride", 2)
    size = [layer.get("height", 0) or x.shape[1] * st[0], layer.get("width", 0) or x.shape[2] * st[1]]
    sides = pads(layer, "same", size, k, st)
    if layer.get("padding", "same") not in ("same", "valid"):
        more = pair(layer, "output_padding", 0)
        size = [(x.shape[1 + i] - 1) * st[i] + k[i] + more[i] - sum(sides[i]) for i in range(2)]
    back = [(k[i] - 1 - sides[i][0], size[i] + sides[i][0] - 1 - (x.shape[1 + i] - 1) * st[i]) for i in range(2)]
    return lax.conv_general_dilated(x, jnp.flip(w, (0, 1)).swapaxes(2, 3), (1, 1), back, lhs_dilation=st, dimension_numbers=DIMS)


def apply(layer, p, name, x, training):
    kind = layer["kind"]
    if kind == "sequential":
        for i, l in enumerate(layer.get("layers", [])):
            x = apply(l, p, f"{name}.{i}", x, training)
        return x
    if kind == "residual":
        y = apply(layer["body"], p, name + ".body", x, training)
        return y + (apply(layer["shortcut"], p, name + ".shortcut", x, training) if "shortcut" in layer else x)
    if kind == "concat":
        parts = [apply(b, p, f"{name}.{i}", x, training) for i, b in enumerate(layer["branches"])]
        if layer.get("crop"):
            parts = [y[:, : parts[0].shape[1], : parts[0].shape[2]] for y in parts]
        return jnp.concatenate(parts, -1)
    if kind in ("conv", "conv_transpose", "dense"):
        w = p[name + ".weight"]
        if kind == "dense":
            y = x @ w
        elif kind == "conv_transpose":
            y = transposed(layer, p, name, x)
        else:
            st = pair(layer, "stride", 1)
            y = lax.conv_general_dilated(x, w, st, pads(layer, "same", x.shape[1:3], w.shape[:2], st),
                                         dimension_numbers=DIMS, feature_group_count=x.shape[3] // w.shape[2])
        return y if layer.get("no_bias") else y + p[name + ".bias"]
    if kind == "batch_norm":
        axes = tuple(range(x.ndim - 1))
        mean, var = (x.mean(axes), x.var(axes)) if training else (p[name + ".running_mean"], p[name + ".running_var"])
        return (x - mean) * lax.rsqrt(var + layer.get("epsilon", 1e-5)) * p[name + ".weight"] + p[name + ".bias"]
    if kind == "gdn":
        norm = jnp.square(x) @ jnp.square(p[name + ".gamma"]) + jnp.square(p[name + ".beta"]) + 1e-6
        return x * (jnp.sqrt(norm) if layer.get("inverse") else lax.rsqrt(norm))
    if kind == "max_pool":
        k = pair(layer, "kernel", 2)
        st = pair(layer, "stride", k[0])
        sides = [(0, 0), *pads(layer, "valid", x.shape[1:3], k, st), (0, 0)]
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, *k, 1), (1, *st, 1), sides)
    simple = {
        "relu": jax.nn.relu, "relu6": jax.nn.relu6, "silu": jax.nn.silu, "sigmoid": jax.nn.sigmoid,
        "global_avg_pool": lambda x: x.mean((1, 2)), "flatten": lambda x: x.reshape(x.shape[0], -1),
        "reshape": lambda x: x.reshape(-1, *layer["shape"]), "dropout": lambda x: x,
    }
    if kind in simple:
        return simple[kind](x)
    raise ValueError(f"the twin has no layer {kind}")


def open_program(d, tensors, variant):
    if d["task"] == "product":
        x, y = (jnp.asarray(tensors["input." + k]) for k in "xy")
        f = jax.jit(lambda x, y: (x.T if d.get("trans_a") else x) @ (y.T if d.get("trans_b") else y))
        run = lambda: f(x, y).block_until_ready()
        return run, protocol.relative(run(), tensors["output"]), 0.0
    p = {k: jnp.asarray(v) for k, v in protocol.part(tensors, "param.").items()}
    x = jnp.asarray(tensors["input.images"])
    if d["task"] == "forward":
        f = jax.jit(lambda p, x: apply(d["layers"], p, "net", x, False))
        run = lambda: f(p, x).block_until_ready()
        return run, protocol.relative(run(), tensors["output"]), 0.0
    labels = jnp.asarray(tensors["input.labels"]) if "input.labels" in tensors else None

    def loss(p):
        y = apply(d["layers"], p, "net", x, True)
        if labels is None:
            return jnp.mean(jax.nn.relu(y) - y * x + jnp.log1p(jnp.exp(-jnp.abs(y)))), y
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(y), labels[..., None], -1)), y

    def step(p, m, v, t):
        g = jax.grad(lambda p: loss(p)[0])(p)
        m = {k: 0.9 * m[k] + 0.1 * g[k] for k in p}
        v = {k: 0.999 * v[k] + 0.001 * g[k] ** 2 for k in p}
        up = lambda k: p[k] - 1e-3 * m[k] / (1 - 0.9**t) / (jnp.sqrt(v[k] / (1 - 0.999**t)) + 1e-8)
        return {k: up(k) for k in p}, m, v, t + 1

    (l, y), g = jax.jit(jax.value_and_grad(loss, has_aux=True))(p)
    want = protocol.part(tensors, "grad.")
    gradient = protocol.gradient_error({k: g[k] for k in want}, want)
    output = max(protocol.relative(y, tensors["output"]), protocol.relative(l, tensors["loss"]))
    f = jax.jit(step, donate_argnums=(0, 1, 2, 3))
    zeros = lambda: {k: jnp.zeros_like(w) for k, w in p.items()}
    state = [{k: jnp.copy(w) for k, w in p.items()}, zeros(), zeros(), jnp.float32(1)]

    def run():
        state[:] = f(*state)
        jax.block_until_ready(state)

    return run, output, gradient


if __name__ == "__main__":
    protocol.serve(open_program, jax.__version__)
