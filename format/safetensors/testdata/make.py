# Writes python.safetensors, which TestPythonFile reads.
# Needs: pip install safetensors==0.8.0 numpy==2.4.6
import numpy as np
from safetensors.numpy import save_file

save_file(
    {
        "weights": np.arange(6, dtype=np.float32).reshape(2, 3) / 4,
        "half": np.array([0, -0.0, 1, -2, 65504, 6e-8, np.inf], dtype=np.float16),
        "double": np.array([[0.1]], dtype=np.float64),
        "labels": np.array([-1, 2**31 - 1], dtype=np.int32),
        "pixels": np.array([0, 255], dtype=np.uint8),
        "mask": np.array([True, False, True]),
        "count": np.array(7, dtype=np.int64),
        "empty": np.zeros((0, 4), dtype=np.float32),
    },
    "python.safetensors",
    metadata={"format": "np", "name": 'a "quoted" <name>, ü'},
)
