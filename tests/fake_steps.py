"""Steps that stand in for ``normalize`` in a whole run."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import polars as pl
from fake_work import warm_up, work

from ingest.run import Steps
from schemas.document import Article


class Seen:
    """Exact duplicates only, as the index of ``normalize.duplicates`` without near ones."""

    def __init__(self, known: dict[str, str]) -> None:
        self.known = known
        self.added_texts: dict[str, str] = {}
        self.before = 0

    @classmethod
    def load(cls, folder: Path | None) -> Self:
        if folder is None:
            return cls({})
        rows = pl.concat([pl.read_parquet(path) for path in sorted(folder.glob("*.parquet"))])
        return cls(dict(rows.iter_rows()))

    def link(self, articles: Sequence[Article]) -> tuple[Article, ...]:
        self.before = len(self.added_texts)
        return tuple(self._linked(item) for item in articles)

    def _linked(self, item: Article) -> Article:
        first = self.known.get(item.text)
        if first is not None:
            return replace(item, dup_of=first, dup_kind="exact", dup_score=1.0)
        self.known[item.text] = self.added_texts[item.text] = item.record_id
        return item

    def added(self) -> pl.DataFrame:
        return self._table()[self.before :]

    def restore(self, added: pl.DataFrame) -> None:
        rows = dict(added.iter_rows())
        self.known |= rows
        self.added_texts |= rows

    def save(self, path: Path) -> None:
        self._table().write_parquet(path)

    def _table(self) -> pl.DataFrame:
        rows = {"text": list(self.added_texts), "record_id": list(self.added_texts.values())}
        return pl.DataFrame(rows, schema={"text": pl.String, "record_id": pl.String})


STEPS = Steps(work=work, warm_up=warm_up, duplicates=Seen)
