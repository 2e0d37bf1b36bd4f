"""Writes the model's forward pass as an ONNX graph, straight from its weights; the only room that knows ``onnx``.

The graph takes the tokens of some sentences one after the other, without padding, and tells them apart by number: a
token attends to those of its own sentence. Nothing of PyTorch is needed to write or to run it.

Source of the architecture: Devlin et al. 2018 (arXiv:1810.04805), as the model's own config.json sizes it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

from app.encoder import STATES_LAYER

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

Precision = Literal["fp32", "int8"]

OPSET = 20
IR_VERSION = 10
_APART = -1e9
"""Added to the attention between tokens of different sentences; its exponential is 0 in float32."""


def write(folder: Path, precision: Precision) -> bytes:
    """Write the model in a folder as a graph.

    Inputs: ``words`` (the tokens' rows of ``words``), float32, shape (tokens, hidden); ``places`` (a token's number
    within its sentence) and ``owners`` (its sentence's number), int64, shape (tokens,). Outputs: ``last``, the states
    after the last layer, and ``states``, those after ``STATES_LAYER``, float32, shape (tokens, hidden).

    Args:
        folder: holds config.json and model.safetensors of a BERT model.
        precision: ``int8`` keeps the matrices as 8-bit integers, each column with a scale of its own, and rounds what
            is multiplied with them by the largest value of the call.

    Returns:
        The bytes of an ONNX file; the same weights give the same bytes.
    """
    config = json.loads((folder / "config.json").read_bytes())
    network = _Network(load_file(folder / "model.safetensors"), config, precision)
    network.embed()
    for number in range(config["num_hidden_layers"]):
        network.layer(number)
        if number + 1 == STATES_LAYER:
            network.call("Identity", "x", to="states")
    network.call("Identity", "x", to="last")
    tokens: list[str | int | None] = ["tokens"]
    graph = helper.make_graph(
        network.nodes,
        f"minilm-{precision}",
        [
            helper.make_tensor_value_info("words", TensorProto.FLOAT, [*tokens, config["hidden_size"]]),
            *(helper.make_tensor_value_info(name, TensorProto.INT64, tokens) for name in ("places", "owners")),
        ],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [*tokens, config["hidden_size"]])
            for name in ("last", "states")
        ],
        network.constants,
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="originality-checker")
    return bytes(model.SerializeToString(deterministic=True))


def words(folder: Path) -> NDArray[np.float32]:
    """Give the embeddings of the model's words, shape (words, hidden).

    They stay out of the graph, so that a text's own rows alone are read: a session would hold all of them.
    """
    table = load_file(folder / "model.safetensors")["embeddings.word_embeddings.weight"]
    return np.asarray(table, dtype=np.float32)


@dataclass
class _Network:
    """A graph that grows; ``x`` names the states so far, always of shape (tokens, hidden)."""

    weights: dict[str, NDArray[Any]]
    config: dict[str, Any]
    precision: Precision
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    x: str = ""

    def call(self, kind: str, *inputs: str, to: str = "", domain: str = "", **attributes: Any) -> str:
        """Add a node and give the name of its output; the input ``x`` stands for the states so far."""
        output = to or f"{kind}{len(self.nodes)}"
        named = [self.x if one == "x" else one for one in inputs]
        self.nodes.append(helper.make_node(kind, named, [output], domain=domain, **attributes))
        return output

    def constant(self, name: str, value: Any, dtype: Any = np.float32) -> str:
        """Add an array, once."""
        if all(one.name != name for one in self.constants):
            self.constants.append(numpy_helper.from_array(np.array(value, dtype=dtype, order="C"), name))
        return name

    def embed(self) -> None:
        """Add up the embeddings of word, place and (always the first) kind of sentence."""
        kind = self.weights["embeddings.token_type_embeddings.weight"][0]
        place = self.constant("place", self.weights["embeddings.position_embeddings.weight"] + kind)
        self.x = self.call("Add", "words", self.call("Gather", place, "places"))
        self._normalise("embeddings")
        across = self.call("Unsqueeze", "owners", self.constant("one", [1], np.int64))
        same = self.call("Equal", across, self.call("Unsqueeze", "owners", self.constant("zero", [0], np.int64)))
        self.call("Where", same, self.constant("near", 0.0), self.constant("apart", _APART), to="mask")

    def layer(self, number: int) -> None:
        """Add a layer: attention, then two matrices with a bend between, each added to what came in."""
        at = f"encoder.layer.{number}"
        heads = self.config["num_attention_heads"]
        width = self.config["hidden_size"] // heads
        names = [f"{at}.attention.self.{part}" for part in ("query", "key", "value")]
        weight = np.concatenate([self.weights[f"{name}.weight"] for name in names])
        bias = np.concatenate([self.weights[f"{name}.bias"] for name in names])
        # The scale of the attention goes into the queries' weights: a pass over the scores less.
        weight[: len(weight) // 3] /= np.sqrt(width)
        bias[: len(bias) // 3] /= np.sqrt(width)
        packed = self._linear(f"{at}.qkv", "x", weight, bias)
        parted = self.call("Reshape", packed, self.constant("parts", [-1, 3, heads, width], np.int64))
        # Keys stand the other way round already, as the product needs them.
        query, key, value = (
            self.call(
                "Transpose",
                self.call("Gather", parted, self.constant(f"part{n}", n, np.int64), axis=1),
                perm=[1, 2, 0] if n == 1 else [1, 0, 2],
            )
            for n in range(3)
        )
        scores = self.call("Softmax", self.call("Add", self.call("MatMul", query, key), "mask"), axis=-1)
        seen = self.call("Transpose", self.call("MatMul", scores, value), perm=[1, 0, 2])
        flat = self.call("Reshape", seen, self.constant("whole", [-1, heads * width], np.int64))
        self._add(f"{at}.attention.output", flat)
        wide = self.call("Gelu", self._dense(f"{at}.intermediate.dense", "x"))
        self._add(f"{at}.output", wide)

    def _add(self, at: str, inputs: str) -> None:
        self.x = self.call("Add", "x", self._dense(f"{at}.dense", inputs))
        self._normalise(at)

    def _normalise(self, at: str) -> None:
        names = [self.constant(f"{at}.{part}", self.weights[f"{at}.LayerNorm.{part}"]) for part in ("weight", "bias")]
        self.x = self.call("LayerNormalization", "x", *names, axis=-1, epsilon=self.config["layer_norm_eps"])

    def _dense(self, at: str, inputs: str) -> str:
        return self._linear(at, inputs, self.weights[f"{at}.weight"], self.weights[f"{at}.bias"])

    def _linear(self, at: str, inputs: str, weight: NDArray[Any], bias: NDArray[Any]) -> str:
        """Multiply with a matrix, shape (out, in), and add a bias."""
        shift = self.constant(f"{at}.bias", bias)
        if self.precision == "fp32":
            return self.call("Gemm", inputs, self.constant(f"{at}.weight", weight.T), shift)
        rounded, scales = quantised(weight)
        return self.call(
            "DynamicQuantizeMatMul",
            inputs,
            self.constant(f"{at}.weight", rounded.T, np.int8),
            self.constant(f"{at}.scale", scales),
            "",
            shift,
            domain="com.microsoft",
        )


def quantised(weight: NDArray[Any]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round each row of a matrix to -127 to 127 steps of its own size.

    Returns:
        The steps, shape as ``weight``, and their size, shape (rows,); a row of zeros has steps of size 1.
    """
    scales = np.abs(weight).max(axis=1) / 127
    scales[scales == 0] = 1
    return np.rint(weight / scales[:, None]).astype(np.int8), scales.astype(np.float32)
