"""Writes optimisers.json and schedules.json, PyTorch's word on update rules.

Run it in this folder with a Python that has torch. Everything is computed in
float64 on starting values and gradients that float32 can hold. Parameter "w"
is a matrix; "b" a vector, which weight decay skips unless decay_all is set.
"""
import json

import torch

STEPS = 6
RATES = [0.1, 0.05, 0.02, 0.07, 0.1, 0.01]
SHAPES = {"w": [3, 4], "b": [4]}

torch.manual_seed(20260131)
gen = {n: torch.randn(s, dtype=torch.float32).double() for n, s in SHAPES.items()}
# Gradients of very different sizes, some of them zero.
grads = [{n: (torch.randn(s) * 10.0 ** torch.randint(-3, 2, s)).float().double() for n, s in SHAPES.items()}
         for _ in range(STEPS)]
grads[2]["w"][0] = 0
grads[0]["b"][1] = 0


def flat(d):
    return {n: v.flatten().tolist() for n, v in d.items()}


def write(name, cases, **head):
    """Writes a JSON object with the list "cases", one case a line."""
    head["torch"] = torch.__version__
    text = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    with open(name, "w") as f:
        f.write(json.dumps(head, separators=(",", ":"))[:-1] + ',"cases":[\n' + text + "\n]}\n")


def run(make, weight_decay=0.0, decay_all=False, clip_value=0.0, clip_norm=0.0):
    p = {n: v.clone().requires_grad_() for n, v in gen.items()}
    groups = [{"params": [p["w"]], "weight_decay": weight_decay},
              {"params": [p["b"]], "weight_decay": weight_decay if decay_all else 0.0}]
    opt = make(groups)
    path = []
    for rate, g in zip(RATES, grads):
        for group in opt.param_groups:
            group["lr"] = rate
        for n in p:
            p[n].grad = g[n].clone()
        if clip_value:
            torch.nn.utils.clip_grad_value_(list(p.values()), clip_value)
        if clip_norm:
            torch.nn.utils.clip_grad_norm_(list(p.values()), clip_norm)
        opt.step()
        path.append(flat({n: v.detach() for n, v in p.items()}))
    return path


def case(name, rule, settings, make, **options):
    o = {"rule": rule}
    if settings:
        o["settings"] = settings
    decoupled = options.pop("decoupled", False)
    o.update(options)
    if decoupled:
        o["decoupled"] = True
    return {"name": name, "options": o, "path": run(make, **options)}


optim = torch.optim
cases = []
for suffix, options in [("", {}), (" with weight decay", {"weight_decay": 0.1}),
                        (" with weight decay of all", {"weight_decay": 0.1, "decay_all": True})]:
    cases += [
        case("sgd" + suffix, "sgd", {}, lambda g: optim.SGD(g, lr=1), **options),
        case("momentum" + suffix, "sgd", {"momentum": 0.9}, lambda g: optim.SGD(g, lr=1, momentum=0.9), **options),
        case("dampened momentum" + suffix, "sgd", {"momentum": 0.8, "dampening": 0.3},
             lambda g: optim.SGD(g, lr=1, momentum=0.8, dampening=0.3), **options),
        case("nesterov" + suffix, "sgd", {"momentum": 0.9, "nesterov": True},
             lambda g: optim.SGD(g, lr=1, momentum=0.9, nesterov=True), **options),
        case("adagrad" + suffix, "adagrad", {}, lambda g: optim.Adagrad(g), **options),
        case("adagrad with settings" + suffix, "adagrad",
             {"epsilon": 1e-3, "initial_sum": 0.5, "rate_decaying": 0.2},
             lambda g: optim.Adagrad(g, eps=1e-3, initial_accumulator_value=0.5, lr_decay=0.2), **options),
        case("rmsprop" + suffix, "rmsprop", {}, lambda g: optim.RMSprop(g), **options),
        case("rmsprop with settings" + suffix, "rmsprop",
             {"alpha": 0.9, "epsilon": 1e-2, "momentum": 0.7, "centered": True},
             lambda g: optim.RMSprop(g, alpha=0.9, eps=1e-2, momentum=0.7, centered=True), **options),
        case("adam" + suffix, "adam", {}, lambda g: optim.Adam(g), **options),
        case("adam with settings" + suffix, "adam", {"beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3},
             lambda g: optim.Adam(g, betas=(0.8, 0.95), eps=1e-3), **options),
        case("amsgrad" + suffix, "adam", {"amsgrad": True, "beta2": 0.5},
             lambda g: optim.Adam(g, amsgrad=True, betas=(0.9, 0.5)), **options),
    ]
    if options:
        cases.append(case("adamw" + suffix, "adam", {}, lambda g: optim.AdamW(g), decoupled=True, **options))
cases += [
    case("clipped by value", "sgd", {}, lambda g: optim.SGD(g, lr=1), clip_value=0.5),
    case("clipped by norm", "sgd", {"momentum": 0.9}, lambda g: optim.SGD(g, lr=1, momentum=0.9), clip_norm=2.0),
    case("clipped by both", "adam", {}, lambda g: optim.Adam(g), clip_value=5.0, clip_norm=3.0, weight_decay=0.1),
]
write("optimisers.json", cases, shapes=SHAPES, start=flat(gen), rates=RATES, gradients=[flat(g) for g in grads])


def schedule(form, total, make):
    w = torch.zeros(1, requires_grad=True)
    opt = optim.SGD([w], lr=1.0)
    s = make(opt)
    factors = []
    for i in range(total):
        factors.append(opt.param_groups[0]["lr"])
        opt.step()
        if i < total - 1:
            s.step()
    return {"schedule": form, "factors": factors}


lrs = torch.optim.lr_scheduler
schedules = [
    schedule("constant", 5, lambda o: lrs.LambdaLR(o, lambda i: 1.0)),
    schedule("step:every=3", 11, lambda o: lrs.StepLR(o, 3)),
    schedule("step:every=4,gamma=0.5", 11, lambda o: lrs.StepLR(o, 4, 0.5)),
    schedule("cosine", 17, lambda o: lrs.CosineAnnealingLR(o, 17)),
    schedule("cosine:floor=0.2", 10, lambda o: lrs.CosineAnnealingLR(o, 10, eta_min=0.2)),
    schedule("onecycle", 20, lambda o: lrs.OneCycleLR(o, 1.0, 20)),
    schedule("onecycle", 3, lambda o: lrs.OneCycleLR(o, 1.0, 3)),
    schedule("onecycle:rise=0.45,start=10,final=100", 13,
             lambda o: lrs.OneCycleLR(o, 1.0, 13, pct_start=0.45, div_factor=10, final_div_factor=100)),
]
write("schedules.json", schedules)
