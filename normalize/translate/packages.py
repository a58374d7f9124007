"""The folder of installed models: add, remove, and the lock that says what was added.

A package comes from a file, a folder, an address or an index. It is unpacked beside its final place, looked at, and only
then renamed into it, so a broken or hostile package never lies among the models. This is the one module of the project,
beside the crawler, that may open a connection, and only when somebody adds a model by name or address.
"""

import contextlib
import fcntl
import hashlib
import http
import http.client
import json
import lzma
import os
import re
import shutil
import stat
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

from normalize.translate.models import (
    LOCK_NAME,
    Broken,
    Locked,
    Model,
    files_of,
    looks_of,
    read_lock,
    read_package,
    version_of,
)
from schemas.errors import SetupError

SUFFIX: Final = ".argosmodel"

#: The largest packages in use unpack to 1 GiB; more than this is a mistake or an attack.
_MOST_BYTES: Final = 16 * 2**30
_MOST_FILES: Final = 10_000

_PIECE: Final = 2**20
_TIMEOUT_SECONDS: Final = 30
#: Waits before the next try of a download that broke off, in seconds.
_PAUSES: Final = (1, 3, 9)

#: What zipfile and the packings inside of it say of damaged data.
_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)

_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_PAIR = re.compile(r"(?:translate-)?([a-z]{2,3})[-_>]{1,2}([a-z]{2,3})")
#: A link with a scheme of its own: one that is no web address cannot be followed.
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:(?!$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of one package that was to be added."""

    model: Model
    #: It was there already, with the same content.
    already: bool


def add(wanted: str, place: Path, index: str) -> tuple[Added, ...]:
    """Add what is named to a folder of models.

    Args:
        wanted: A package file, a folder of package files or of one unpacked package, an address, or the name of a pair
            that the index has ("de-en", "translate-de_en").
        place: The folder of models; made if need be.
        index: Address or file of the index; "" means argostranslate's own.

    Raises:
        SetupError: If it cannot be found, fetched or unpacked, or is no translation package.
    """
    with _held(place), tempfile.TemporaryDirectory(prefix=".adding-", dir=place) as scratch:
        adding = _Adding(place, Path(scratch))
        path = Path(wanted)
        if path.is_dir() and not (path / "metadata.json").exists():
            files = sorted(path.glob(f"*{SUFFIX}"))
            if not files:
                message = (
                    f"{path} holds neither metadata.json nor any {SUFFIX} file; name a package or a folder of them"
                )
                raise SetupError(message)
            return tuple(adding.from_file(file, str(file)) for file in files)
        if path.is_dir():
            return (adding.from_folder(path),)
        if path.exists():
            return (adding.from_file(path, wanted),)
        if _ADDRESS.match(wanted):
            return (adding.from_address(wanted, None),)
        pair = _PAIR.fullmatch(wanted)
        if not pair:
            message = f'"{wanted}" is no file, folder, address or pair; name a {SUFFIX} file or a pair such as de-en'
            raise SetupError(message)
        entry = _newest(read_index(index), pair[1], pair[2], index)
        return (adding.from_address(entry.address, entry.sha256),)


def remove(name: str, place: Path) -> list[str]:
    """Remove the packages of a name, or the one package of a folder name; gives the folders removed.

    Raises:
        SetupError: If none is there.
    """
    with _held(place):
        lock = read_lock(place)
        pair = _PAIR.fullmatch(name)
        names = {name, f"translate-{pair[1]}_{pair[2]}" if pair else name}
        gone = [entry.folder for entry in lock.values() if entry.folder in names or entry.name in names]
        # A package whose entry in the lock was lost can be named by its folder.
        gone = gone or [
            path.name for path in place.glob("*/") if path.name == name and (path / "metadata.json").exists()
        ]
        if not gone:
            known = ", ".join(sorted(lock)) or "none"
            message = f'no model "{name}" was added to {place}; there are: {known}'
            raise SetupError(message)
        for folder in gone:
            shutil.rmtree(place / folder)
            lock.pop(folder, None)
        _write_lock(place, lock)
        return gone


class _Adding:
    """Packages on their way into a folder of models that is held."""

    def __init__(self, place: Path, scratch: Path) -> None:
        self._place = place
        self._scratch = scratch

    def from_address(self, address: str, sha256: str | None) -> Added:
        name = PurePosixPath(urllib.parse.urlsplit(address).path).name or "package"
        # Beside the models, not in the scratch folder: what was fetched before a break is used by the next try.
        file = self._place / f".fetched-{name}"
        try:
            download(address, file, sha256)
            return self.from_file(file, address)
        finally:
            file.unlink(missing_ok=True)

    def from_file(self, file: Path, named: str) -> Added:
        # Not by tempfile, whose folders nobody else may read.
        unpacked = self._scratch / f"unpacked-{len(list(self._scratch.iterdir()))}"
        unpacked.mkdir()
        _unpack(file, unpacked, named)
        tops = list(unpacked.iterdir())
        # argos packs one folder; packages packed by hand have its content at the top.
        inner = tops[0] if len(tops) == 1 and tops[0].is_dir() else unpacked
        return self._settle(inner, named)

    def from_folder(self, folder: Path) -> Added:
        copied = self._scratch / "copied"
        shutil.copytree(folder, copied, symlinks=False)
        return self._settle(copied, str(folder))

    def _settle(self, unpacked: Path, named: str) -> Added:
        """See that it is a model, give it its name and write it into the lock."""
        model = read_package(unpacked, "babelwire", {})
        if isinstance(model, Broken):
            message = f"{named} is no usable package: {model.reason}"
            raise SetupError(message)
        folder = f"{model.name}-{re.sub(r'[^0-9A-Za-z]+', '_', model.version)}"
        goal = self._place / folder
        lock = read_lock(self._place)
        if goal.exists():
            there = read_package(goal, "babelwire", lock)
            if isinstance(there, Model) and there.sha256 == model.sha256:
                _write_lock(self._place, lock | {folder: _locked(there, named)})
                return Added(model=there, already=True)
            message = (
                f"{named} is {model.name} {model.version}, but {goal} has other content; "
                f"if the new one is right: babelwire models remove {folder}"
            )
            raise SetupError(message)
        for file in files_of(unpacked):
            with file.open("rb") as written:
                os.fsync(written.fileno())
        unpacked.rename(goal)
        model = replace(model, folder=goal)
        _write_lock(self._place, lock | {folder: _locked(model, named)})
        return Added(model=model, already=False)


def _locked(model: Model, added_from: str) -> Locked:
    return Locked(
        folder=model.folder.name,
        name=model.name,
        version=model.version,
        sha256=model.sha256,
        looks=looks_of(model.folder, files_of(model.folder)),
        added_from=added_from,
    )


def _write_lock(place: Path, lock: dict[str, Locked]) -> None:
    entries = [asdict(lock[folder]) for folder in sorted(lock)]
    draft = place / f"{LOCK_NAME}.draft"
    draft.write_text(json.dumps({"models": entries}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(place / LOCK_NAME)


@contextlib.contextmanager
def _held(place: Path) -> Iterator[None]:
    """Keep others from adding and removing at the same time; errors of the disk become messages."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        with (place / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        message = (
            f"{error.filename or place} cannot be written or read ({error.strerror}); look after models_dir {place}"
        )
        raise SetupError(message) from error


def _unpack(file: Path, goal: Path, named: str) -> None:
    """Unpack a zip inside a folder, and nowhere else.

    Args:
        file: The zip.
        goal: An empty folder.
        named: What to call it in messages.

    Raises:
        SetupError: If it is no zip, damaged, too large, or names a place outside.
    """
    try:
        with zipfile.ZipFile(file) as package:
            members = package.infolist()
            size = sum(member.file_size for member in members)
            if size > _MOST_BYTES or len(members) > _MOST_FILES:
                message = f"{named} unpacks to {len(members)} files of {size:,} bytes; the most is {_MOST_BYTES:,}"
                raise SetupError(message)
            for member in members:
                _unpack_member(package, member, goal, named)
    except _DAMAGE as error:
        message = f"{named} is no intact package ({error}); fetch it again"
        raise SetupError(message) from error
    except OSError as error:
        # Without a number it is no fault of the disk: bz2 says so of damaged data.
        if error.errno is None:
            message = f"{named} is no intact package ({error}); fetch it again"
            raise SetupError(message) from error
        raise


def _unpack_member(package: zipfile.ZipFile, member: zipfile.ZipInfo, goal: Path, named: str) -> None:
    path = PurePosixPath(member.filename)
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    if path.is_absolute() or ".." in path.parts or "\\" in member.filename or is_link:
        what = "is a link" if is_link else "lies outside of it"
        message = f'{named} is refused: its member "{member.filename}" {what}'
        raise SetupError(message)
    if member.is_dir():
        return
    place = goal / path
    place.parent.mkdir(parents=True, exist_ok=True)
    with package.open(member) as packed, place.open("wb") as unpacked:
        shutil.copyfileobj(packed, unpacked, _PIECE)


# ---- the index -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One package that an index offers."""

    source: str
    target: str
    version: str
    #: Web address or path of the package file.
    address: str
    #: Digest of the package file, where the index tells.
    sha256: str | None = None


def index_address(index: str) -> str:
    """Give where the index is: as configured, or argostranslate's own."""
    if index:
        return index
    from argostranslate import settings  # noqa: PLC0415  it makes folders in the user's home when imported

    return str(settings.remote_package_index)


def read_index(index: str) -> tuple[Listed, ...]:
    """Read an index in argospm's form: a JSON list of packages, each with codes, version and links.

    Links may be relative to the index, so that a mirror is a folder that can be copied.

    Raises:
        SetupError: If it cannot be fetched or read.
    """
    address = index_address(index)
    if _ADDRESS.match(address):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "index.json"
            download(address, file, None)
            text = file.read_bytes()
    else:
        try:
            text = Path(address).read_bytes()
        except OSError as error:
            message = f"index {address} cannot be read ({error.strerror}); see translate.index"
            raise SetupError(message) from error
    try:
        entries = json.loads(text)
        if not isinstance(entries, list):
            raise TypeError("it is no list")  # noqa: TRY003, TRY301
        listed = [_listed(entry, address) for entry in entries if entry.get("type", "translate") == "translate"]
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        message = f"index {address} is not in argospm's form ({error}); it must be a JSON list of packages"
        raise SetupError(message) from error
    return tuple(item for item in listed if item is not None)


def _listed(entry: dict[str, Any], index: str) -> Listed | None:
    links = [link for link in entry["links"] if _ADDRESS.match(link) or not _ELSEWHERE.match(link)]
    if not links:
        return None
    link = str(links[0])
    if not _ADDRESS.match(link):
        link = urllib.parse.urljoin(index, link) if _ADDRESS.match(index) else str(Path(index).parent / link)
    sha256 = entry.get("sha256")
    return Listed(
        source=str(entry["from_code"]),
        target=str(entry["to_code"]),
        version=str(entry.get("package_version", "0")),
        address=link,
        sha256=str(sha256).lower() if sha256 else None,
    )


def _newest(listed: tuple[Listed, ...], source: str, target: str, index: str) -> Listed:
    offers = [item for item in listed if (item.source, item.target) == (source, target)]
    if not offers:
        near = sorted(f"{item.source}-{item.target}" for item in listed if source in (item.source, item.target))
        message = f"index {index_address(index)} has no {source}-{target}; with {source} it has: {', '.join(near) or 'nothing'}"
        raise SetupError(message)
    return max(offers, key=lambda item: version_of(item.version))


# ---- the one place that downloads ------------------------------------------------------------------


def download(address: str, goal: Path, sha256: str | None) -> None:
    """Fetch a file, going on where an earlier try broke off; a path is copied.

    Raises:
        SetupError: If it cannot be fetched, or is not what the digest says.
    """
    if not _ADDRESS.match(address):
        try:
            shutil.copyfile(address, goal)
        except OSError as error:
            message = f"{address} cannot be read ({error.strerror})"
            raise SetupError(message) from error
    else:
        part = goal.with_name(f"{goal.name}.part")
        for pause in (*_PAUSES, None):
            try:
                _fetch(address, part)
                break
            except (OSError, http.client.HTTPException, EOFError, ValueError) as error:
                # 4xx is an answer, not a break, and so is an address that is none: asking again would get the same.
                refused = isinstance(error, urllib.error.HTTPError) and error.code < 500  # noqa: PLR2004
                if pause is None or refused or isinstance(error, ValueError):
                    raise SetupError(_unreachable(address, error)) from error
                time.sleep(pause)
        part.replace(goal)
        _tag_of(part).unlink(missing_ok=True)
    if sha256 is not None:
        with goal.open("rb") as file:
            seen = hashlib.file_digest(file, "sha256").hexdigest()
        if seen != sha256:
            goal.unlink()
            message = f"{address} has SHA-256 {seen}, but the index says {sha256}; fetch it again or mend the index"
            raise SetupError(message)


def _fetch(address: str, part: Path) -> None:
    """Fetch what is still missing of a file.

    Raises:
        OSError: The connection failed or the server refused.
        EOFError: The connection ended before the file.
    """
    tag_file = _tag_of(part)
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(address, headers={"User-Agent": "babelwire"})  # noqa: S310  http and https only
    if have and tag_file.exists():
        # With If-Range the server sends the whole file where it is another one by now (RFC 9110, 13.1.5).
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", tag_file.read_text(encoding="utf-8"))
    try:
        opened = urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)  # noqa: S310
    except urllib.error.HTTPError as error:
        # What is here is no beginning of what is there, as when an earlier try had all of it.
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink()
            message = "the server has no more than is here; it is fetched anew"
            raise EOFError(message) from error
        raise
    with opened as response:
        goes_on = response.status == http.HTTPStatus.PARTIAL_CONTENT
        if not goes_on:
            tag_file.unlink(missing_ok=True)
        tag = response.headers.get("ETag")
        if tag and not tag.startswith("W/"):
            tag_file.write_text(tag, encoding="utf-8")
        length = response.headers.get("Content-Length")
        wanted = None if length is None else int(length) + (have if goes_on else 0)
        with part.open("ab" if goes_on else "wb") as file:
            shutil.copyfileobj(response, file, _PIECE)
            size = file.tell()
    if wanted is not None and size < wanted:
        message = f"it ended after {size:,} of {wanted:,} bytes"
        raise EOFError(message)


def _tag_of(part: Path) -> Path:
    """Name the file that keeps the ETag of a file that is not whole yet."""
    return part.with_name(f"{part.name}.tag")


def _unreachable(address: str, error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return (
        f"{address} cannot be fetched ({reason}); without a network, copy the package to this machine and name its file: "
        f"babelwire models add FILE{SUFFIX}"
    )
