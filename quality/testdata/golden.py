"""Writes golden.json: scores by scikit-image and pytorch-msssim.

Run it in this folder with a Python that has numpy, torch, scikit-image and
pytorch-msssim. The images are made by formulas of integers that the test in Go
repeats (see pattern in golden_test.go), so that no pixels need be kept.
"""
import json

import numpy as np
import pytorch_msssim
import skimage
import torch
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity


def pattern(h, w, c, strength):
    """An image of waves, steps and a hash for grain, and a worse copy of it."""
    y, x, k = np.meshgrid(np.arange(h), np.arange(w), np.arange(c), indexing="ij")
    grain = ((y * 7919 + x * 104729 + k * 1299709) * 2654435761 % 2**32) >> 24
    clean = (y * y + 3 * x * (k + 1)) // 16 % 160 + (x // 8 + y // 8) % 2 * 60 + grain // 8
    worse = np.clip(clean + (grain - 128) * strength // 128 + k * strength // 8, 0, 255)
    return clean.astype(np.uint8), worse.astype(np.uint8)


def tensor(image):
    return torch.from_numpy(image.astype(np.float64)).movedim(-1, 0)[None]


cases = []
for h, w, c, strength in (11, 11, 1, 20), (40, 33, 1, 60), (24, 75, 3, 10), (64, 64, 3, 120), (176, 176, 1, 40), (161, 200, 3, 25), (187, 165, 3, 90):
    x, y = pattern(h, w, c, strength)
    for kind, data_range in ("uint8", 255), ("float32", 1):
        a, b = (x, y) if kind == "uint8" else ((x / 255).astype(np.float32), (y / 255).astype(np.float32))
        ssim = np.mean([structural_similarity(a[..., k].astype(np.float64), b[..., k].astype(np.float64), data_range=data_range,
                                              gaussian_weights=True, sigma=1.5, use_sample_covariance=False) for k in range(c)])
        again = pytorch_msssim.ssim(tensor(a), tensor(b), data_range=data_range, size_average=True).item()
        assert abs(ssim - again) < 1e-5, (ssim, again)  # two peers, one definition
        case = {"height": h, "width": w, "channels": c, "strength": strength, "kind": kind, "range": data_range,
                "mse": float(mean_squared_error(a.astype(np.float64), b.astype(np.float64))),
                "psnr": float(peak_signal_noise_ratio(a.astype(np.float64), b.astype(np.float64), data_range=data_range)),
                "ssim": float(ssim)}
        if min(h, w) > 160:
            case["ms_ssim"] = pytorch_msssim.ms_ssim(tensor(a), tensor(b), data_range=data_range, size_average=True).item()
        cases.append(case)

with open("golden.json", "w") as f:
    text = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    f.write('{"scikit-image":"%s","pytorch-msssim":"1.0.0","cases":[\n%s\n]}\n' % (skimage.__version__, text))
