"""`babelwire run` in a single process: reading, work and writing in turn, no workers and no limits per document.

    python tests/run_alone.py INPUT... --output DIR

What ``tests/benchmarks/throughput.py`` holds workers against; takes the arguments of the command.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ingest.cli import main
from normalize.options import DocumentOptions
from schemas.document import Article, RawDocument, Rejected


def in_turn(
    documents: Iterable[RawDocument | Rejected], *, work: Any, warm_up: Any, document_options: DocumentOptions, **_: Any
) -> Iterator[Article | Rejected]:
    """Do here what ``map_documents`` has workers do."""
    warm_up()
    for document in documents:
        yield document if isinstance(document, Rejected) else work(document, document_options)


if __name__ == "__main__":
    with patch("ingest.engines.local.map_documents", side_effect=in_turn) as engine:
        code = main(["run", *sys.argv[1:]])
    # A measurement of something else would go unseen.
    sys.exit(code if engine.called else "nothing was worked on here: has the engine another name?")
