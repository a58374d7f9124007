"""datatrove over WARC files: its reader, its trafilatura, its writer, one task per file and worker.

    python tests/run_datatrove.py FOLDER OUTPUT --files 2 --workers 2 --writer parquet

Nothing here knows babelwire, so that any Python with datatrove can run it. Every step
has its own defaults, among them a second of time for a page.
"""

import argparse
from pathlib import Path

WRITERS = ("jsonl", "parquet")


def main() -> None:
    """Read, extract and write."""
    # Here, since the tests read this file too, and they need no datatrove.
    from datatrove.executor import LocalPipelineExecutor  # noqa: PLC0415
    from datatrove.pipeline.extractors import Trafilatura  # noqa: PLC0415
    from datatrove.pipeline.readers import WarcReader  # noqa: PLC0415
    from datatrove.pipeline.writers import JsonlWriter, ParquetWriter  # noqa: PLC0415

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--files", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--writer", choices=WRITERS, required=True)
    arguments = parser.parse_args()
    LocalPipelineExecutor(
        pipeline=[
            WarcReader(str(arguments.folder), glob_pattern="*.warc.gz"),
            Trafilatura(),
            (JsonlWriter if arguments.writer == "jsonl" else ParquetWriter)(str(arguments.output / "out")),
        ],
        tasks=arguments.files,
        workers=arguments.workers,
        logging_dir=str(arguments.output / "logs"),
    ).run()


if __name__ == "__main__":
    main()
