"""From what a person typed or listed to the files to read, in an order that is the same everywhere."""

import glob
import gzip
import hashlib
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Self

from ingest.site_rules import RuleBook
from schemas.errors import SetupError

STANDARD_INPUT = "-"

GZIP_MAGIC = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One thing to read, and what the catalogue says of it."""

    #: Where to open it; None is standard input.
    path: Path | None
    #: The path as the person named it, "/" between folders, never made absolute. What is found
    #: below a folder is joined to it. "-" is standard input.
    uri: str
    source_id: str | None = None
    publisher: str | None = None
    #: BCP 47 tag that the catalogue expects.
    language_prior: str | None = None
    #: Which rules its pages have; None where there are none.
    rules: RuleBook | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A path or pattern, as a person wrote it."""

    text: str
    #: "FILE:LINE" of a list; None on the command line.
    place: str | None = None


def read_list(path: Path) -> tuple[Named, ...]:
    """Read a list of inputs, plain or gzip: one path or pattern a line.

    A line means what it would mean as an argument, so a path in it begins at the current folder:
    what ``find`` prints can be listed as it is, and the ``warc.paths.gz`` of CC-NEWS holds in the
    folder of the mirror. Blank lines and those that begin with "#" are passed over; a file whose
    name begins so is listed as "./#name".

    Raises:
        SetupError: If it cannot be read or names nothing.

    """
    try:
        content = path.read_bytes()
        if content.startswith(GZIP_MAGIC):
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        message = f"--list {path} cannot be read ({error}); name a list of paths, plain or gzip"
        raise SetupError(message) from error
    # Names of files are bytes, so the list is too.
    lines = (line.strip() for line in content.removeprefix(BYTE_ORDER_MARK).splitlines())
    named = tuple(
        Named(text=os.fsdecode(line), place=f"{path}:{number}")
        for number, line in enumerate(lines, start=1)
        if line and not line.startswith(b"#")
    )
    if not named:
        message = f"--list {path} names no input; write one path or pattern a line"
        raise SetupError(message)
    return named


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One of several shares of the inputs, each for a run of its own.

    Which share an input falls to hangs on its uri alone. So it stays there whatever else is named
    beside it, and the shard's output folder, which knows what is done, is asked about it again
    tomorrow. Shares are therefore of about, not exactly, the same size.
    """

    #: From 1 to ``of``.
    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "3/16".

        Raises:
            SetupError: If it is not a whole number of another, counted from 1.

        >>> Shard.parse("3/16")
        Shard(number=3, of=16)

        """
        found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
        number, of = (int(found[1]), int(found[2])) if found else (0, 0)
        if not 1 <= number <= of:
            message = f'--shard "{text}" is not a shard; write the 3rd of 16 as 3/16, the last one as 16/16'
            raise SetupError(message)
        return cls(number=number, of=of)

    def holds(self, item: Input) -> bool:
        """Say whether an input falls to this shard: exactly one of all shards holds it."""
        digest = hashlib.sha256(item.uri.encode()).digest()
        return int.from_bytes(digest) % self.of == self.number - 1


def find_inputs(arguments: Sequence[str]) -> tuple[Input, ...]:
    """Find the inputs that the arguments name: files, folders, globs and "-".

    Arguments are taken in the order given; what one folder or glob holds is sorted by path, code
    point by code point, so it does not hang on disk or locale. Below a folder, hidden files and
    folders and WARC files that a crawl is writing are passed over, and links to folders are not followed. A file that is named twice,
    by whatever way, comes once.

    Raises:
        SetupError: If an argument names nothing that could be read.

    """
    found: dict[str, Input] = {}
    for argument in arguments:
        for entry in _named_by(argument):
            key = STANDARD_INPUT if entry.path is None else os.path.realpath(entry.path)
            found.setdefault(key, entry)
    return tuple(found.values())


def _named_by(argument: str) -> Iterator[Input]:
    if argument == STANDARD_INPUT:
        yield Input(path=None, uri=STANDARD_INPUT)
        return
    path = Path(argument)
    # A file whose name has brackets is that file, not a pattern.
    if argument and _exists(path):
        yield from _at(path, argument)
    elif argument and glob.has_magic(argument):
        matches = sorted(glob.glob(argument, recursive=True), key=_uri)  # noqa: PTH207 (Path.glob shows hidden files)
        if not matches:
            message = (
                f'"{argument}" matches no file; check the pattern ("**" goes into folders) '
                f"or the folder you are in: {Path.cwd()}"
            )
            raise SetupError(message)
        inputs = [entry for match in matches for entry in _files(Path(match))]
        if not inputs:
            message = f'"{argument}" matches only folders without files; name what lies in them'
            raise SetupError(message)
        yield from sorted(inputs, key=lambda entry: entry.uri)
    else:
        message = (
            f'"{argument}" does not exist; name a file, a folder, a pattern such as '
            f'"pages/**/*.html", or "-" for standard input (you are in {Path.cwd()})'
        )
        raise SetupError(message)


def _at(path: Path, argument: str) -> Iterator[Input]:
    inputs = _files(path)
    if not inputs:
        message = (
            f'"{argument}" is a folder without files (hidden ones do not count); '
            f"put the pages there or name another folder"
        )
        raise SetupError(message)
    yield from inputs


def _files(path: Path) -> list[Input]:
    if not path.is_dir():
        return [Input(path=path, uri=_uri(path))]
    below: list[Path] = []
    for folder, folders, names in os.walk(path, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        # What a crawl is still writing has another name when it is done.
        files = (
            Path(folder, name) for name in names if not name.startswith(".") and not name.endswith(".warc.gz.open")
        )
        # Sockets and pipes below a folder are nobody's documents, and would block.
        below.extend(file for file in files if file.is_file())
    return sorted((Input(path=file, uri=_uri(file)) for file in below), key=lambda one: one.uri)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError) as error:  # a name too long, a folder closed to us, a NUL
        message = f'"{path}" cannot be looked at ({error}); check the name and your rights'
        raise SetupError(message) from error


def _refuse(error: OSError) -> None:
    message = f'"{error.filename}" cannot be listed ({error.strerror}); check your rights'
    raise SetupError(message) from error


def _uri(path: str | PurePath) -> str:
    # Names are bytes on some systems; what is not UTF-8 is shown, since a record cannot hold it.
    return os.fsencode(PurePath(path).as_posix()).decode("utf-8", "backslashreplace")
