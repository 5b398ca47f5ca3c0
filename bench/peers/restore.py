#!/usr/bin/env python3
"""OpenCV's non-local means and its two ways to inpaint, on the images that
`go run ./bench/restore -dump DIR` wrote: restore.py DIR [SET...].

Prints a table: PSNR (mean over the images, on bytes) and megapixels a second.
Non-local means gets the strength of the noise told, as h = hColor = 0.8 sigma,
windows of 7 and 21; Telea and Navier-Stokes look 5 pixels far.
Needs opencv-python-headless and numpy.
"""
import pathlib
import sys
import time

import cv2
import numpy as np


def psnr(a, b):
    return 10 * np.log10(255**2 / np.mean((a.astype(float) - b.astype(float)) ** 2))


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
    print("| set | method | PSNR | megapixels/s |\n|-|-|-|-|")
    for folder in sorted(p for p in root.iterdir() if p.is_dir() and (not wanted or p.name in wanted)):
        for name, run in methods(folder).items():
            scores, pixels, seconds = [], 0, 0.0
            for clean in sorted(folder.glob("*-clean.png")):
                stem = str(clean)[: -len("clean.png")]
                x, y = cv2.imread(stem + "harmed.png"), cv2.imread(str(clean))
                mask = cv2.imread(stem + "mask.png", cv2.IMREAD_GRAYSCALE) if pathlib.Path(stem + "mask.png").exists() else None
                begun = time.perf_counter()
                back = run(x, mask)
                seconds += time.perf_counter() - begun
                scores.append(psnr(back, y))
                pixels += x.shape[0] * x.shape[1]
            if scores:
                print(f"| {folder.name} | {name} | {np.mean(scores):.2f} | {pixels / 1e6 / seconds:.2f} |")


if __name__ == "__main__":
    main()
