#!/usr/bin/env python3
"""OpenCV's non-local means and its two ways to inpaint, on the images that
`go run ./bench/restore -dump DIR` wrote: restore.py DIR [SET...].

Prints a table: PSNR and MS-SSIM (means over the images, on bytes) and megapixels a second.
Non-local means gets the strength of the noise told, as h = hColor = 0.8 sigma,
windows of 7 and 21; Telea and Navier-Stokes look 5 pixels far.
Needs opencv-python-headless, numpy and pytorch-msssim.
"""
import pathlib
import sys
import time

import cv2
import numpy as np
import torch
from pytorch_msssim import ms_ssim


def psnr(a, b):
    return 10 * np.log10(255**2 / np.mean((a.astype(float) - b.astype(float)) ** 2))


def similarity(a, b):
    x, y = (torch.from_numpy(v).permute(2, 0, 1)[None].float() for v in (a, b))
    return float(ms_ssim(x, y, data_range=255))


def methods(folder):
    tail = folder.name.rsplit("-", 1)[1]
    try:
        h = 0.8 * float(tail)
    except ValueError:
        return {
            "Telea": lambda x, m: cv2.inpaint(x, m, 5, cv2.INPAINT_TELEA),
            "Navier-Stokes": lambda x, m: cv2.inpaint(x, m, 5, cv2.INPAINT_NS),
        }
    return {"non-local means": lambda x, m: cv2.fastNlMeansDenoisingColored(x, None, h, h, 7, 21)}


def main():
    root = pathlib.Path(sys.argv[1])
    wanted = sys.argv[2:]
    print(f"OpenCV {cv2.__version__}, {cv2.getNumThreads()} threads\n")
    print("| set | method | PSNR | MS-SSIM | megapixels/s |\n|-|-|-|-|-|")
    for folder in sorted(p for p in root.iterdir() if p.is_dir() and (not wanted or p.name in wanted)):
        for name, run in methods(folder).items():
            scores, similar, pixels, seconds = [], [], 0, 0.0
            for clean in sorted(folder.glob("*-clean.png")):
                stem = str(clean)[: -len("clean.png")]
                x, y = cv2.imread(stem + "harmed.png"), cv2.imread(str(clean))
                mask = cv2.imread(stem + "mask.png", cv2.IMREAD_GRAYSCALE) if pathlib.Path(stem + "mask.png").exists() else None
                begun = time.perf_counter()
                back = run(x, mask)
                seconds += time.perf_counter() - begun
                scores.append(psnr(back, y))
                similar.append(similarity(back, y))
                pixels += x.shape[0] * x.shape[1]
            if scores:
                print(f"| {folder.name} | {name} | {np.mean(scores):.2f} | {np.mean(similar):.4f} | {pixels / 1e6 / seconds:.2f} |")


if __name__ == "__main__":
    main()
