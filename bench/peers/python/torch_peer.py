"""PyTorch's side of the comparison: eager or compiled, channels first or last."""
import os

import torch
import torch.nn.functional as F

import protocol
import twin

torch.set_num_threads(int(os.environ["PEER_THREADS"]))


def product(d, tensors):
    x, y = (torch.from_numpy(tensors["input." + k]) for k in "xy")
    x, y = x.T if d.get("trans_a") else x, y.T if d.get("trans_b") else y
    run = lambda: torch.mm(x, y)
    return run, protocol.relative(run(), tensors["output"]), 0.0


def nhwc(y):
    return y.permute(0, 2, 3, 1) if y.dim() == 4 else y


def loss_of(task, y, x, labels):
    if task == "reconstruct":
        return F.binary_cross_entropy_with_logits(y, x)
    return F.cross_entropy(y, labels)


def open_program(d, tensors, variant):
    if d["task"] == "product":
        return product(d, tensors)
    net = twin.build(d["layers"], twin.Shape(d["image"]))
    params = {k: torch.from_numpy(v) for k, v in protocol.part(tensors, "param.").items()}
    dense = twin.load(net, params)
    x = torch.from_numpy(tensors["input.images"])
    x = x.permute(0, 3, 1, 2) if x.dim() == 4 else x
    last = "last" in variant and x.dim() == 4
    fit = (lambda t: t.contiguous(memory_format=torch.channels_last)) if last else (lambda t: t.contiguous())
    x = fit(x)
    if last:
        net = net.to(memory_format=torch.channels_last)
    if d["task"] == "forward":
        net.eval()
        apply = torch.compile(net) if "compile" in variant else net

        @torch.inference_mode()
        def run():
            return apply(x)

        return run, protocol.relative(nhwc(run()), tensors["output"]), 0.0

    labels = torch.from_numpy(tensors["input.labels"]).long() if "input.labels" in tensors else None

    def forward(x, labels):
        y = net(x)
        return y, loss_of(d["task"], y, x, labels)

    # The check: without dropout, before anything is learnt.
    rates = {m: m.p for m in net.modules() if isinstance(m, torch.nn.Dropout)}
    for m in rates:
        m.p = 0.0
    net.train()
    y, l = forward(x, labels)
    l.backward()
    output = max(protocol.relative(nhwc(y.detach()), tensors["output"]), protocol.relative(l.detach(), tensors["loss"]))
    gradient = gradient_error(net, tensors, dense)
    for m, p in rates.items():
        m.p = p
    twin.load(net, params)
    del y, l

    # fused: the faster of Adam's forms on a CPU.
    adam = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
    step = torch.compile(lambda x, labels: forward(x, labels)[1]) if "compile" in variant else lambda x, labels: forward(x, labels)[1]

    def run():
        adam.zero_grad(set_to_none=True)
        step(x, labels).backward()
        adam.step()

    return run, output, gradient


def gradient_error(net, tensors, dense):
    got = {k: v.grad for k, v in twin.names(net).items() if v.requires_grad}
    want = protocol.part(tensors, "grad.")
    return protocol.gradient_error(got, {k: twin.layout(k, torch.from_numpy(v), dense).numpy() for k, v in want.items()})


if __name__ == "__main__":
    protocol.serve(open_program, torch.__version__)
