"""A small Transformer in torch, trained on the processor and written as a CTranslate2 model.

Its weights bear the names that CTranslate2 has for them, so that converting is filling in.
torch is not a dependency of babelwire; this module can be imported without it.
"""

# ruff: noqa: PLC0415, T201 - torch is imported by what needs it; a recipe shows how far it is

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Marks padding; torch leaves such targets out of the loss.
PADDING = -100
#: The piece that every target starts after: SentencePiece's "<s>".
START = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How large a network is and how it is trained."""

    pieces: int = 1600
    #: Dimensions of a token; of the inner layer; attention heads; layers of encoder and decoder.
    depth: int = 112
    inner: int = 224
    heads: int = 4
    layers: int = 2
    steps: int = 3000
    #: Source and target tokens of a batch, with padding.
    batch_tokens: int = 2400
    #: Sentences that are sorted by length together.
    pool: int = 1500
    rate: float = 3e-3
    warmup: int = 200
    dropout: float = 0.02
    smoothing: float = 0.05


def positions(length: int, depth: int) -> Any:
    """Give CTranslate2's position encodings: sines and cosines, side by side, counted from one."""
    import torch

    scale = torch.exp(torch.arange(depth // 2) * (-math.log(10_000) / (depth // 2 - 1)))
    angles = torch.arange(1, length + 1)[:, None] * scale[None, :]
    return torch.cat((angles.sin(), angles.cos()), dim=1)


def new_weights(shape: Shape, vocabulary: int) -> dict[str, Any]:
    """Give fresh weights, under the names that CTranslate2 has for them.

    One table of embeddings serves the source, the target and the output.
    """
    import torch

    weights: dict[str, Any] = {"embeddings": torch.randn(vocabulary, shape.depth) * shape.depth**-0.5}

    def linear(name: str, out: int, into: int, *, blocks: int = 1) -> None:
        limit = math.sqrt(6 / (out // blocks + into))
        weights[f"{name}/weight"] = torch.empty(out, into).uniform_(-limit, limit)
        weights[f"{name}/bias"] = torch.zeros(out)

    def norm(name: str) -> None:
        weights[f"{name}/gamma"] = torch.ones(shape.depth)
        weights[f"{name}/beta"] = torch.zeros(shape.depth)

    depth = shape.depth
    for side in ("encoder", "decoder"):
        norm(f"{side}/layer_norm")
        for layer in range(shape.layers):
            scope = f"{side}/layer_{layer}"
            linear(f"{scope}/self_attention/linear_0", 3 * depth, depth, blocks=3)
            linear(f"{scope}/self_attention/linear_1", depth, depth)
            norm(f"{scope}/self_attention/layer_norm")
            if side == "decoder":
                linear(f"{scope}/attention/linear_0", depth, depth)
                linear(f"{scope}/attention/linear_1", 2 * depth, depth, blocks=2)
                linear(f"{scope}/attention/linear_2", depth, depth)
                norm(f"{scope}/attention/layer_norm")
            linear(f"{scope}/ffn/linear_0", shape.inner, depth)
            linear(f"{scope}/ffn/linear_1", depth, shape.inner)
            norm(f"{scope}/ffn/layer_norm")
    return {name: weight.requires_grad_() for name, weight in weights.items()}


class Network:
    """A pre-norm Transformer over a dictionary of weights, as CTranslate2 computes it."""

    def __init__(self, weights: dict[str, Any], shape: Shape) -> None:
        import torch

        self.weights, self.shape = weights, shape
        self.functional = torch.nn.functional
        self.positions = positions(512, shape.depth)

    def logits(self, source: Any, target: Any, seen: Any) -> Any:
        """Give the scores of each next piece; ``seen`` marks the source tokens that are no padding."""
        mask = seen[:, None, None, :]
        memory = self._embed(source)
        for layer in range(self.shape.layers):
            scope = f"encoder/layer_{layer}"
            memory = memory + self._self_attention(f"{scope}/self_attention", memory, mask=mask)
            memory = memory + self._feed_forward(f"{scope}/ffn", memory)
        memory = self._norm("encoder/layer_norm", memory)
        state = self._embed(target)
        for layer in range(self.shape.layers):
            scope = f"decoder/layer_{layer}"
            state = state + self._self_attention(f"{scope}/self_attention", state, mask=None)
            state = state + self._cross_attention(f"{scope}/attention", state, memory, mask=mask)
            state = state + self._feed_forward(f"{scope}/ffn", state)
        return self._norm("decoder/layer_norm", state) @ self.weights["embeddings"].T

    def _embed(self, tokens: Any) -> Any:
        table = self.functional.embedding(tokens, self.weights["embeddings"]) * math.sqrt(self.shape.depth)
        return self._drop(table + self.positions[: tokens.shape[1]])

    def _drop(self, value: Any) -> Any:
        return self.functional.dropout(value, self.shape.dropout)

    def _linear(self, name: str, value: Any) -> Any:
        return self.functional.linear(value, self.weights[f"{name}/weight"], self.weights[f"{name}/bias"])

    def _norm(self, name: str, value: Any) -> Any:
        gamma, beta = self.weights[f"{name}/gamma"], self.weights[f"{name}/beta"]
        return self.functional.layer_norm(value, (self.shape.depth,), gamma, beta)

    def _attend(self, query: Any, key: Any, value: Any, mask: Any) -> Any:
        """Attend in heads; without a mask each position sees itself and what came before."""

        def split(part: Any) -> Any:
            return part.unflatten(-1, (self.shape.heads, -1)).transpose(1, 2)

        mixed = self.functional.scaled_dot_product_attention(
            split(query), split(key), split(value), attn_mask=mask, is_causal=mask is None
        )
        return mixed.transpose(1, 2).flatten(-2)

    def _self_attention(self, name: str, value: Any, *, mask: Any) -> Any:
        query, key, content = self._linear(f"{name}/linear_0", self._norm(f"{name}/layer_norm", value)).chunk(3, -1)
        return self._drop(self._linear(f"{name}/linear_1", self._attend(query, key, content, mask)))

    def _cross_attention(self, name: str, value: Any, memory: Any, *, mask: Any) -> Any:
        query = self._linear(f"{name}/linear_0", self._norm(f"{name}/layer_norm", value))
        key, content = self._linear(f"{name}/linear_1", memory).chunk(2, -1)
        return self._drop(self._linear(f"{name}/linear_2", self._attend(query, key, content, mask)))

    def _feed_forward(self, name: str, value: Any) -> Any:
        inner = self.functional.relu(self._linear(f"{name}/linear_0", self._norm(f"{name}/layer_norm", value)))
        return self._drop(self._linear(f"{name}/linear_1", inner))


def batches(rows: Sequence[tuple[list[int], list[int]]], shape: Shape, dice: random.Random) -> Iterator[list[Any]]:
    """Give padded batches for ever: sentences of like length together, in a new order each epoch.

    Lengths are compared within a pool of the shuffled rows only, so that a batch does not end up
    with many copies of one repeated sentence.
    """
    import torch

    while True:
        shuffled = dice.sample(rows, len(rows))
        cut: list[list[tuple[list[int], list[int]]]] = []
        for start in range(0, len(shuffled), shape.pool):
            batch: list[tuple[list[int], list[int]]] = []
            for row in sorted(shuffled[start : start + shape.pool], key=lambda row: max(map(len, row))):
                # Sorted, so this row is the longest of its batch so far.
                if 2 * max(map(len, row)) * (len(batch) + 1) > shape.batch_tokens:
                    cut.append(batch)
                    batch = []
                batch.append(row)
            cut.append(batch)
        dice.shuffle(cut)
        for batch in cut:
            yield [
                torch.nn.utils.rnn.pad_sequence(
                    [torch.tensor(ids) for ids in column], batch_first=True, padding_value=PADDING
                )
                for column in zip(*batch, strict=True)
            ]


def train(rows: Sequence[tuple[list[int], list[int]]], vocabulary: int, shape: Shape, *, seed: int) -> dict[str, Any]:
    """Train a network on pairs of token numbers and give its weights as arrays."""
    import torch

    torch.manual_seed(seed)
    network = Network(new_weights(shape, vocabulary), shape)
    optimizer = torch.optim.Adam(network.weights.values(), lr=1.0, betas=(0.9, 0.98), eps=1e-9)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: shape.rate * min((step + 1) / shape.warmup, (1 + math.cos(math.pi * step / shape.steps)) / 2),
    )
    stream = batches(rows, shape, random.Random(seed))  # noqa: S311 - nothing secret
    for step in range(shape.steps):
        source, target = next(stream)
        start = torch.full_like(target[:, :1], START)
        logits = network.logits(
            source.clamp(min=0), torch.cat((start, target[:, :-1]), dim=1).clamp(min=0), source >= 0
        )
        loss = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), target.flatten(), ignore_index=PADDING, label_smoothing=shape.smoothing
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.weights.values(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            print(f"  step {step:5} of {shape.steps}, loss {loss.item():.3f}", flush=True)
    return {name: weight.detach().numpy() for name, weight in network.weights.items()}


def convert(weights: Mapping[str, Any], pieces: Sequence[str], shape: Shape, folder: Path) -> None:
    """Write the network as a CTranslate2 model with weights of 8 bits."""
    from ctranslate2.specs import model_spec, transformer_spec

    spec = transformer_spec.TransformerSpec.from_config((shape.layers, shape.layers), shape.heads)
    shared = ("encoder/embeddings_0/weight", "decoder/embeddings/weight", "decoder/projection/weight")
    named = {**weights, **dict.fromkeys(shared, weights["embeddings"])}

    def fill(layer: Any, name: str, _: Any) -> None:
        if name in named:
            setattr(layer, name.rpartition("/")[2], named[name])

    model_spec.visit_spec(spec, fill)
    spec.register_source_vocabulary(list(pieces))
    spec.register_target_vocabulary(list(pieces))
    spec.config.layer_norm_epsilon = 1e-5
    spec.validate()
    spec.optimize(quantization="int8")
    folder.mkdir()
    spec.save(str(folder))
