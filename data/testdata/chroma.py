"""Writes chroma-*.jpg, with colours at half the resolution, and what libjpeg makes
of them (Pillow) as PNG: run it in this folder."""
import numpy as np
from PIL import Image

y, x = np.mgrid[:21, :35]
wave = lambda a, b, c: 127 + 120 * np.sin(a * x + b * y + c)
picture = Image.fromarray(np.stack([wave(0.5, 0.2, 0), wave(-0.2, 0.6, 1), wave(0.3, -0.4, 2)], 2).astype(np.uint8))
for name, subsampling in ("422", 1), ("420", 2):
    picture.save(f"chroma-{name}.jpg", quality=90, subsampling=subsampling)
    Image.open(f"chroma-{name}.jpg").convert("RGB").save(f"chroma-{name}.png")
