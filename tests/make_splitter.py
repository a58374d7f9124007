"""Make a sentence splitter for Greek in the form that MiniSBD reads, as a network built by hand.

MiniSBD gives a network the number of each character and asks for five scores per character: nothing,
end of word, end of sentence, and two for words to be expanded. This one ends a sentence at . ; ! · …
(with a closing quote or bracket after it, if there is one) when a space and then a capital, an opening
quote or a digit follow, but not after a single letter, which is an initial. It is small and knows no
abbreviations; it is there to test packages that bring a splitter of their own.
"""

# ruff: noqa: PLC0415 - onnx is no dependency of babelwire

import json
from typing import Any

END = ".;!·…?"
CLOSING = '»”’)"'
OPENING = "«“‘(–—0123456789"
LETTERS = "".join(chr(code) for code in range(0x386, 0x3CF) if chr(code).isalpha())

#: What is known of a character, in columns. MiniSBD says itself which are capitals.
KINDS = (END, ".", CLOSING, OPENING, LETTERS, " ")
IS_END, IS_DOT, IS_CLOSING, IS_OPENING, IS_LETTER, IS_SPACE, IS_CAPITAL = range(7)

#: What makes a sentence end at a character: sets of kinds, by their distance from it. The last one
#: tells that it is an initial.
PATTERNS: tuple[dict[int, tuple[int, ...]], ...] = (
    {0: (IS_END,), 1: (IS_SPACE,), 2: (IS_OPENING, IS_CAPITAL)},
    {-1: (IS_END,), 0: (IS_CLOSING,), 1: (IS_SPACE,), 2: (IS_OPENING, IS_CAPITAL)},
    {-2: (IS_SPACE, IS_OPENING), -1: (IS_LETTER,), 0: (IS_DOT,), 1: (IS_SPACE,), 2: (IS_CAPITAL,)},
)
REACH = 2


def vocabulary() -> list[str]:
    """List the characters that are told apart, after MiniSBD's two special ones."""
    return ["<PAD>", "<UNK>", *sorted({*"".join(KINDS)})]


def splitter() -> bytes:
    """Build the network and give it as an ONNX file."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    units = vocabulary()
    table = np.array([[len(unit) == 1 and unit in kind for kind in KINDS] for unit in units], np.float32)
    # A pattern fires with 1 if each of its distances holds a kind it asks for.
    shape = (len(PATTERNS), IS_CAPITAL + 1, 2 * REACH + 1)
    kernel, bias = np.zeros(shape, np.float32), np.zeros(len(PATTERNS), np.float32)
    for number, pattern in enumerate(PATTERNS):
        for distance, kinds in pattern.items():
            kernel[number, list(kinds), distance + REACH] = 1
        bias[number] = 1 - len(pattern)
    # From patterns to classes: "nothing" starts at 0.5, "end of sentence" must beat it.
    votes = np.zeros((len(PATTERNS), 5), np.float32)
    votes[:, 2] = (1, 1, -2)
    start = np.array([0.5, -1, 0, -1, -1], np.float32)
    arrays = {"table": table, "kernel": kernel, "bias": bias, "votes": votes, "start": start}
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "units"], ["kinds"], axis=0),
            helper.make_node("Concat", ["kinds", "features"], ["known"], axis=2),
            helper.make_node("Transpose", ["known"], ["columns"], perm=[0, 2, 1]),
            helper.make_node("Conv", ["columns", "kernel", "bias"], ["sums"], pads=[REACH, REACH]),
            helper.make_node("Relu", ["sums"], ["fired"]),
            helper.make_node("Transpose", ["fired"], ["rows"], perm=[0, 2, 1]),
            helper.make_node("MatMul", ["rows", "votes"], ["voted"]),
            helper.make_node("Add", ["voted", "start"], ["scores"]),
        ],
        "splitter",
        [
            helper.make_tensor_value_info("units", TensorProto.INT64, ["paragraphs", "length"]),
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["paragraphs", "length", 1]),
        ],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["paragraphs", "length", 5])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, {name: json.dumps(value) for name, value in described(units).items()})
    return bytes(model.SerializeToString(deterministic=True))


def described(units: list[str]) -> dict[str, Any]:
    """Say what MiniSBD must know to feed the network."""
    return {
        "lang_code": "el",
        "config": {"feat_funcs": ["capitalized"], "max_seqlen": 1000},
        "vocab": {"lang": "el", "_id2unit": units, "_unit2id": {unit: number for number, unit in enumerate(units)}},
    }
