"""Texts that were seen before: exactly, or nearly, in this run or in an earlier one.

Nothing is dropped. A record points to the first record that said the same (``dup_of``), so that a query can keep one of
each. Exact means the same letters and digits; near means a MinHash similarity of 0.8 or more over shingles of nine
letters, found through 16 bands of 8 rows (see ``normalize.fingerprint``).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, Self

import numpy as np
import polars as pl

from normalize.fingerprint import BANDS, ROWS
from normalize.main_text import letters
from schemas.document import Article

#: Estimated Jaccard similarity from which two texts count as one. The estimate's standard error is 0.035 at 0.8.
NEAR: Final = 0.8

#: One file per run: what it added, in document order. ``signature`` holds the lowest byte of each of the 128 minima, which
#: is enough to estimate similarity (Li and Koenig, "b-bit minwise hashing", WWW 2010) at a quarter of the size.
STATE: Final = pl.Schema(
    {
        "record_id": pl.String(),
        "first_id": pl.String(),
        "text_digest": pl.Binary(),
        "bands": pl.List(pl.UInt64()),
        "signature": pl.Binary(),
    }
)


@dataclass(frozen=True, slots=True)
class _Seen:
    """One text that was seen."""

    record_id: str
    #: The first record with this text: itself, unless it was a duplicate too.
    first_id: str
    digest: bytes
    bands: tuple[int, ...]
    signature: bytes


class DuplicateIndex:
    """The memory of texts: what earlier runs saved, and what this run adds in document order."""

    def __init__(self, earlier: pl.DataFrame) -> None:
        """Begin with what earlier runs saved, in the form of ``STATE``."""
        self._earlier = earlier
        self._earlier_bands = (
            earlier.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"), "bands").explode("bands").drop_nulls()
        )
        self._by_digest: dict[bytes, _Seen] = {}
        #: Most bands have one text: a list of its own for each would be a third of all memory.
        self._by_band: dict[int, _Seen | list[_Seen]] = {}
        self._added: list[_Seen] = []
        #: How many of them came with chunks before the last.
        self._before = 0
        self._ids: set[str] = set()

    @classmethod
    def load(cls, folder: Path | None) -> Self:
        """Remember what earlier runs saved in a folder of Parquet files, oldest first by name; None for nothing."""
        files = sorted(folder.glob("*.parquet")) if folder else []
        if not files:
            return cls(pl.DataFrame(schema=STATE))
        return cls(pl.concat([pl.read_parquet(file) for file in files]))

    def link(self, articles: Sequence[Article]) -> tuple[Article, ...]:
        """Point each article to the first record that says the same, then remember it.

        An article that stands twice in the input (the same record in two archives) gets an id of its own the second time.
        """
        named = [self._with_own_id(article) for article in articles]
        seen = [_seen(article) for article in named]
        self._recall(seen)
        self._before = len(self._added)
        linked = []
        for article, one in zip(named, seen, strict=True):
            found = self._find(one)
            if found:
                first, score = found
                one = replace(one, first_id=first.first_id)  # noqa: PLW2901
                kind: Literal["exact", "near"] = "exact" if first.digest == one.digest else "near"
                linked.append(replace(article, dup_of=first.first_id, dup_kind=kind, dup_score=score))
            else:
                linked.append(article)
            self._remember(one)
            self._added.append(one)
        return tuple(linked)

    def added(self) -> pl.DataFrame:
        """Give what the last chunk added, in the form of ``STATE``."""
        return _as_table(self._added[self._before :])

    def restore(self, added: pl.DataFrame) -> None:
        """Take in what ``added`` gave for a chunk, as if the chunk had been linked again."""
        seen = [_from_row(row) for row in added.iter_rows(named=True)]
        # In the order of ``link``, since the first that is remembered stays the first.
        self._recall(seen)
        self._before = len(self._added)
        for one in seen:
            self._ids.add(one.record_id)
            self._remember(one)
            self._added.append(one)

    def save(self, path: Path) -> None:
        """Write what was added since ``load``; nothing where nothing was."""
        if self._added:
            _as_table(self._added).write_parquet(path, compression="zstd", statistics=True)

    def _with_own_id(self, article: Article) -> Article:
        name, copy = article.record_id, 1
        while name in self._ids:
            copy += 1
            name = hashlib.sha256(f"{article.record_id}\x1f{copy}".encode()).hexdigest()[:32]
        self._ids.add(name)
        return article if name == article.record_id else replace(article, record_id=name)

    def _recall(self, wanted: Sequence[_Seen]) -> None:
        """Bring the texts of earlier runs that this chunk may repeat into memory, in one join."""
        if self._earlier.is_empty():
            return
        bands = pl.Series("bands", [band for one in wanted for band in one.bands], dtype=pl.UInt64).unique()
        digests = pl.Series("text_digest", [one.digest for one in wanted], dtype=pl.Binary).unique()
        rows = self._earlier_bands.join(bands.to_frame(), on="bands", how="semi")["row"].unique()
        same = self._earlier.with_row_index("row").filter(
            pl.col("text_digest").is_in(digests.implode()) | pl.col("row").is_in(rows.implode())
        )
        # Rows keep the order of the runs, so that the first of several stays the first.
        for row in same.iter_rows(named=True):
            digest = row["text_digest"]
            if digest in self._by_digest and self._by_digest[digest].record_id == row["record_id"]:
                continue
            self._remember(_from_row(row))

    def _find(self, one: _Seen) -> tuple[_Seen, float] | None:
        """Find the text that this one repeats. A record never repeats itself: a rerun is no duplicate."""
        same = self._by_digest.get(one.digest)
        if same and one.record_id not in {same.record_id, same.first_id}:
            return same, 1.0
        best: tuple[_Seen, float] | None = None
        met = {id(other): other for band in one.bands for other in self._with_band(band)}
        for other in met.values():
            if one.record_id in {other.record_id, other.first_id}:
                continue
            score = similarity(one.signature, other.signature)
            if score >= NEAR and (best is None or score > best[1]):
                best = other, score
        return best

    def _remember(self, one: _Seen) -> None:
        self._by_digest.setdefault(one.digest, one)
        for band in one.bands:
            first = self._by_band.setdefault(band, one)
            if isinstance(first, list):
                first.append(one)
            elif first is not one:
                self._by_band[band] = [first, one]

    def _with_band(self, band: int) -> Sequence[_Seen]:
        found = self._by_band.get(band, ())
        return (found,) if isinstance(found, _Seen) else found


def _as_table(seen: Sequence[_Seen]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "record_id": [one.record_id for one in seen],
            "first_id": [one.first_id for one in seen],
            "text_digest": [one.digest for one in seen],
            "bands": [list(one.bands) for one in seen],
            "signature": [one.signature for one in seen],
        },
        schema=STATE,
    )


def _from_row(row: dict[str, Any]) -> _Seen:
    return _Seen(row["record_id"], row["first_id"], row["text_digest"], tuple(row["bands"] or ()), row["signature"])


def similarity(one: bytes, other: bytes) -> float:
    """Estimate the Jaccard similarity of two texts from their one-byte signatures, 0..1, to four digits.

    Two different minima share their lowest byte once in 256 times; that chance is taken out.
    """
    if not one or not other:
        return 0.0
    share = float(np.mean(np.frombuffer(one, np.uint8) == np.frombuffer(other, np.uint8)))
    return round(max(0.0, (share - 1 / 256) / (1 - 1 / 256)), 4)


def _seen(article: Article) -> _Seen:
    digest = hashlib.sha256(letters(article.text).encode("utf-8", "surrogatepass")).digest()[:16]
    minima = np.array(article.signature, dtype=np.uint64)
    bands = tuple(
        int.from_bytes(
            hashlib.blake2b(bytes([band]) + minima[band * ROWS : (band + 1) * ROWS].tobytes(), digest_size=8).digest()
        )
        for band in range(BANDS if len(minima) else 0)
    )
    signature = (minima & 0xFF).astype(np.uint8).tobytes()
    return _Seen(article.record_id, article.record_id, digest, bands, signature)
