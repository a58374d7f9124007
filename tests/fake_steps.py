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
        self.added: dict[str, str] = {}

    @classmethod
    def load(cls, folder: Path | None) -> Self:
        if folder is None:
            return cls({})
        rows = pl.concat([pl.read_parquet(path) for path in sorted(folder.glob("*.parquet"))])
        return cls(dict(rows.iter_rows()))

    def link(self, articles: Sequence[Article]) -> tuple[Article, ...]:
        return tuple(self._linked(item) for item in articles)

    def _linked(self, item: Article) -> Article:
        first = self.known.get(item.text)
        if first is not None:
            return replace(item, dup_of=first, dup_kind="exact", dup_score=1.0)
        self.known[item.text] = self.added[item.text] = item.record_id
        return item

    def save(self, path: Path) -> None:
        rows = {"text": list(self.added), "record_id": list(self.added.values())}
        pl.DataFrame(rows, schema={"text": pl.String, "record_id": pl.String}).write_parquet(path)


STEPS = Steps(work=work, warm_up=warm_up, duplicates=Seen)
