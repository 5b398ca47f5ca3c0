"""What all peers in Python share: commands come as JSON, one a line, on
standard input; answers go to standard output.

  {"do":"open","file":F,"variant":V}  reads a program, answers {"version","agree","error"}
  {"do":"time","seconds":S}           runs it that long at least, answers {"ms"}: the median run
  {"do":"memory"}                     answers {"peak_bytes"} of the process
"""
import json
import os
import statistics
import sys
import time

# Answers need the real standard output; what libraries print goes to the other.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def relative(got, want):
    """The greatest difference, as a part of the greatest value."""
    import numpy as np

    got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
    if got.shape != want.shape:
        raise ValueError(f"shapes differ: {got.shape} and {want.shape}")
    return float(np.abs(got - want).max() / max(np.abs(want).max(), 1e-30))


def gradient_error(got, want):
    """The greatest difference of a gradient, as vectors: relative to its length,
    or to a hundredth of the longest gradient's where that is more (gradients that
    are sums of cancelling terms). Not element by element: where two values of a
    max-pooling's window differ by less than rounding, the sides may choose
    differently, which moves one channel's share of one place."""
    import numpy as np

    if set(got) != set(want):
        raise ValueError(f"gradients differ: {sorted(set(got) ^ set(want))[:4]}")
    length = {k: np.linalg.norm(np.asarray(w, np.float64)) for k, w in want.items()}
    floor = max(length.values()) / 100
    return float(max(np.linalg.norm(np.asarray(got[k], np.float64) - w) / max(length[k], floor) for k, w in want.items()))


def read(path):
    """Description and tensors of a program's file."""
    from safetensors import safe_open
    from safetensors.numpy import load_file

    with safe_open(path, "numpy") as f:
        return json.loads(f.metadata()["program"]), load_file(path)


def part(tensors, prefix):
    return {k[len(prefix):]: v for k, v in tensors.items() if k.startswith(prefix)}


def timed(run, seconds):
    times, begun = [], time.perf_counter()
    while len(times) < 1 or time.perf_counter() - begun < seconds:
        t = time.perf_counter()
        run()
        times.append(time.perf_counter() - t)
    return statistics.median(times) * 1e3


def peak_bytes():
    """Of this program: getrusage's mark begins with what started it held."""
    with open("/proc/self/status") as f:
        return next((int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM:")), 0)


def serve(open_program, version):
    """open_program(description, tensors, variant) returns what runs once, and the
    greatest relative differences of the result and of the gradients."""
    run = None
    for line in sys.stdin:
        c = json.loads(line)
        try:
            if c["do"] == "open":
                run, output, gradient = open_program(*read(c["file"]), c.get("variant", ""))
                run()
                answer = {"version": version, "output_error": output, "gradient_error": gradient}
            elif c["do"] == "time":
                answer = {"ms": timed(run, c["seconds"])}
            elif c["do"] == "memory":
                answer = {"peak_bytes": peak_bytes()}
            else:
                answer = {"error": f"unknown command {c['do']}"}
        except Exception as e:  # the other side says what happened, and goes on
            answer = {"error": f"{type(e).__name__}: {e}".splitlines()[0][:300]}
        print(json.dumps(answer), file=answers, flush=True)
