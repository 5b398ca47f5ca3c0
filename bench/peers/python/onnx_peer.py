"""ONNX Runtime's side: networks in use, exported once by PyTorch."""
import io
import os
import warnings

import onnxruntime
import torch

import protocol
import twin


def open_program(d, tensors, variant):
    if d["task"] != "forward":
        raise ValueError("ONNX Runtime is compared on networks in use only")
    net = twin.build(d["layers"], twin.Shape(d["image"]))
    twin.load(net, {k: torch.from_numpy(v) for k, v in protocol.part(tensors, "param.").items()})
    x = torch.from_numpy(tensors["input.images"]).permute(0, 3, 1, 2).contiguous()
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net.eval(), (x,), file, input_names=["x"], dynamo=False)
    o = onnxruntime.SessionOptions()
    o.intra_op_num_threads = int(os.environ["PEER_THREADS"])
    o.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(file.getvalue(), o, providers=["CPUExecutionProvider"])
    feed = {"x": x.numpy()}
    run = lambda: session.run(None, feed)[0]
    y = run()
    return run, protocol.relative(y.transpose(0, 2, 3, 1) if y.ndim == 4 else y, tensors["output"]), 0.0


if __name__ == "__main__":
    protocol.serve(open_program, onnxruntime.__version__)
