# Writes the .parquet files that TestPandasFiles reads.
# Needs: pip install pandas pyarrow numpy
import numpy as np
import pandas as pd

z = np.array([[0.5, -1, 2], [3, 4.25, 1e-3]], dtype=np.float32)
names = ["a.png", "b/ü.jpg"]
pd.DataFrame({"name": names, "label": ["cat", None], "z": list(z)}).to_parquet("list.parquet")
pd.DataFrame({"name": names, "z0": z[:, 0], "z1": z[:, 1].astype(float), "z2": z[:, 2], "other": [1, 2]}).to_parquet(
    "columns.parquet", compression="zstd"
)
