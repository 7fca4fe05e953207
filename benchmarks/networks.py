"""The networks that are measured: graph, inputs, and the same computed by this host's CPU.

The CPU's side is onnxruntime for the style network, and PyTorch for VGG16, or onnxruntime where
PyTorch is not installed; all in float32 on all threads that the process may use.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import onnxruntime

from benchmarks import cpu
from zhisuan.frontend import photo
from zhisuan.graph.ir import Graph
from zhisuan.graph.rewrite import optimize
from zhisuan.models import style, vgg16

STYLE = 7
VGG_SIDE = 224


@dataclass(frozen=True)
class Peer:
    """Somebody else's inference of the same network."""

    name: str
    run: Callable[[], object]


@dataclass(frozen=True)
class Network:
    """A graph in floating point with its sizes and inputs."""

    name: str
    graph: Graph
    sizes: Mapping[str, int]
    inputs: Mapping[str, np.ndarray]


def style_network(side: int) -> Network:
    """The style network on the default photograph."""
    picture = photo.load(photo.default_photo(), (side, side), style.SMALLEST_SIDE)
    inputs = {"image": photo.to_tensor(picture), "style_weights": style.style_vector(STYLE)}
    sizes = {"h": side, "w": side}
    return Network(f"style, {side}×{side}", optimize(style.load()), sizes, inputs)


def style_peer(network: Network) -> Peer:
    """The same network by onnxruntime, from its own file."""
    oracle = session(str(style.path()))
    return Peer(_onnxruntime(), lambda: oracle.run(None, dict(network.inputs)))


def vgg16_network() -> Network:
    """VGG16 on noise; without the package of its weights on random ones, which cost the same."""
    installed = importlib.util.find_spec(vgg16.WEIGHTS.package) is not None
    graph = vgg16.build(vgg16.imagenet_weights() if installed else vgg16.random_weights())
    noise = np.random.default_rng(0).normal(0, 60, (1, 3, VGG_SIDE, VGG_SIDE))
    inputs = {"image": noise.astype(np.float32)}
    return Network(f"VGG16, {VGG_SIDE}×{VGG_SIDE}", graph, {}, inputs)


def vgg16_peer(network: Network) -> Peer:
    """The same network by PyTorch, else by onnxruntime."""
    if importlib.util.find_spec("torch") is not None:
        import torch  # pyright: ignore[reportMissingImports]

        infer = torch_network(network.graph)
        return Peer(f"PyTorch {torch.__version__}", lambda: infer(network.inputs["image"]))
    oracle = session(onnx_model(network.graph))
    return Peer(_onnxruntime(), lambda: oracle.run(None, dict(network.inputs)))


def session(model: str | bytes) -> onnxruntime.InferenceSession:
    """onnxruntime on this host's CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cpu.threads()
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _onnxruntime() -> str:
    return f"onnxruntime {onnxruntime.__version__}"


def torch_network(graph: Graph) -> Callable[[np.ndarray], object]:
    """A chain of convolutions, poolings and linear layers in PyTorch."""
    import torch  # pyright: ignore[reportMissingImports]

    torch.set_num_threads(cpu.threads())
    constants = {name: torch.from_numpy(np.array(a)) for name, a in graph.constants.items()}
    functions = torch.nn.functional

    def run(image: np.ndarray) -> object:
        with torch.inference_mode():
            x = torch.tensor(image)
            for node in graph.nodes:
                weights = [constants[name] for name in node.inputs[1:]]
                if node.op == "conv2d":
                    x = functions.conv2d(x, *weights, padding=1)
                elif node.op == "max_pool":
                    x = functions.max_pool2d(x, 2)
                elif node.op == "flatten":
                    x = x.flatten(1)
                else:
                    x = functions.linear(x, *weights)
                if node.attrs.get("activation"):
                    x = functions.relu(x)
            return x

    return run


def onnx_model(graph: Graph) -> bytes:
    """The same chain as an ONNX model."""
    from onnx import TensorProto, helper, numpy_helper

    nodes, value = [], graph.inputs[0]
    for node in graph.nodes:
        inputs = [value, *node.inputs[1:]]
        attrs = {
            "conv2d": {"pads": [1, 1, 1, 1]},
            "max_pool": {"kernel_shape": [2, 2], "strides": [2, 2]},
            "linear": {"transB": 1},
        }.get(node.op, {})
        kind = {"conv2d": "Conv", "max_pool": "MaxPool", "linear": "Gemm", "flatten": "Flatten"}
        nodes.append(helper.make_node(kind[node.op], inputs, [node.output], **attrs))
        value = node.output
        if node.attrs.get("activation"):
            nodes.append(helper.make_node("Relu", [value], [f"{value}.relu"]))
            value = f"{value}.relu"
    tensors = [numpy_helper.from_array(array, name) for name, array in graph.constants.items()]
    shape = [int(str(side)) for side in graph.values[graph.inputs[0]].shape]
    image = helper.make_tensor_value_info(graph.inputs[0], TensorProto.FLOAT, shape)
    output = helper.make_tensor_value_info(value, TensorProto.FLOAT, None)
    body = helper.make_graph(nodes, graph.name, [image], [output], tensors)
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(body, opset_imports=opset, ir_version=9).SerializeToString()
