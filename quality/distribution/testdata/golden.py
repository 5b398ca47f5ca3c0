"""Makes golden.json: Fréchet distances by scipy's matrix square root, and
precision and recall by distances sorted whole, for sets of random vectors.

  python golden.py    # with numpy and scipy
"""
import json
import pathlib

import numpy as np
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist


def frechet(x, y):
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    d = x.mean(0) - y.mean(0)
    return float(d @ d + np.trace(a) + np.trace(b) - 2 * np.trace(sqrtm(a @ b)).real)


def covered(queries, points, k):
    radii = np.sort(cdist(points, points), 1)[:, k]  # the nearest is the point itself
    return float((cdist(queries, points) <= radii).any(1).mean())


def main():
    rng = np.random.default_rng(1)
    cases = []
    for name, n, m, dim, k in ("narrow", 30, 40, 2, 3), ("square", 60, 50, 7, 3), ("wide", 12, 15, 20, 5):
        mix = rng.normal(size=(dim, dim))
        x = rng.normal(size=(n, dim)).astype(np.float32)
        y = (0.8 * rng.normal(size=(m, dim)) @ (np.eye(dim) + 0.3 * mix) + 0.4).astype(np.float32)
        p, q = x.astype(np.float64), y.astype(np.float64)
        cases.append({"Name": name, "Dim": dim, "K": k, "Real": x.ravel().tolist(), "Made": y.ravel().tolist(),
                      "Frechet": frechet(p, q), "Precision": covered(q, p, k), "Recall": covered(p, q, k)})
    pathlib.Path(__file__).with_name("golden.json").write_text(json.dumps({"Cases": cases}) + "\n")


if __name__ == "__main__":
    main()
