"""Models are added from files, folders, indexes and addresses, and never from anything broken or hostile."""

import hashlib
import json
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from small_packages import metadata, package_file, package_folder

from normalize.options import TranslateOptions
from normalize.translate import packages
from normalize.translate.models import LOCK_NAME, find_models, read_lock
from normalize.translate.packages import Added, add, download, remove
from schemas.errors import SetupError


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "models"


def one(wanted: str | Path, place: Path, index: str = "") -> Added:
    (added,) = add(str(wanted), place, index)
    return added


def fault(wanted: str | Path, place: Path, index: str = "") -> str:
    with pytest.raises(SetupError) as caught:
        add(str(wanted), place, index)
    return str(caught.value)


def left_behind(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir() if path.name != ".lock")


# ---- files and folders ---------------------------------------------------------------------------


def test_a_package_file_is_unpacked_and_locked(tmp_path: Path, place: Path) -> None:
    file = package_file(tmp_path, "de", "en", "1.9")
    added = one(file, place)
    assert added.model.folder == place / "translate-de_en-1_9"
    assert (added.model.folder / "model" / "model.bin").read_bytes() == b"weights"
    entry = read_lock(place)["translate-de_en-1_9"]
    assert (entry.name, entry.version, entry.sha256, entry.added_from) == (
        "translate-de_en",
        "1.9",
        added.model.sha256,
        str(file),
    )
    assert left_behind(place) == [LOCK_NAME, "translate-de_en-1_9"]


def test_a_package_without_a_top_folder_is_taken_as_well(tmp_path: Path, place: Path) -> None:
    folder = package_folder(tmp_path, "de", "en")
    file = tmp_path / "flat.argosmodel"
    with zipfile.ZipFile(file, "w") as packed:
        for path in folder.rglob("*"):
            packed.write(path, path.relative_to(folder))
    assert one(file, place).model.name == "translate-de_en"


def test_a_folder_of_packages_and_an_unpacked_package_are_added(tmp_path: Path, place: Path) -> None:
    package_file(tmp_path, "de", "en")
    package_file(tmp_path, "el", "en")
    assert [item.model.source for item in add(str(tmp_path), place, "")] == ["de", "el"]
    assert one(package_folder(tmp_path / "more", "uk", "en"), place).model.source == "uk"


def test_adding_again_changes_nothing_but_other_content_under_the_same_version_is_refused(
    tmp_path: Path, place: Path
) -> None:
    file = package_file(tmp_path, "de", "en")
    assert not one(file, place).already
    assert one(file, place).already
    other = package_file(tmp_path / "other", "de", "en", changed={"model/model.bin": b"others"})
    assert "has other content; if the new one is right: babelwire models remove translate-de_en-1_0" in fault(
        other, place
    )


def test_models_are_removed_by_pair_or_folder(tmp_path: Path, place: Path) -> None:
    for version in ("1.0", "1.1", "1.2"):
        add(str(package_file(tmp_path, "de", "en", version)), place, "")
    assert remove("translate-de_en-1_1", place) == ["translate-de_en-1_1"]
    assert remove("de-en", place) == ["translate-de_en-1_0", "translate-de_en-1_2"]
    assert left_behind(place) == [LOCK_NAME]
    with pytest.raises(SetupError, match='no model "de-en" was added'):
        remove("de-en", place)


@pytest.mark.parametrize("name", ["../x", "..", "/etc", "."])
def test_nothing_but_an_added_model_can_be_removed(name: str, place: Path) -> None:
    with pytest.raises(SetupError, match="there are: none"):
        remove(name, place)


HOSTILE = ["../evil", "a/../../evil", "/evil", "..\\evil"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_member_outside_of_the_package_is_refused(name: str, tmp_path: Path, place: Path) -> None:
    file = package_file(tmp_path, "de", "en")
    with zipfile.ZipFile(file, "a") as packed:
        packed.writestr(zipfile.ZipInfo(name), b"x")
    assert f'its member "{name}" lies outside of it' in fault(file, place)
    assert left_behind(place) == []
    assert not list(tmp_path.rglob("evil"))


def test_a_link_in_a_package_is_refused(tmp_path: Path, place: Path) -> None:
    file = package_file(tmp_path, "de", "en")
    link = zipfile.ZipInfo("translate-de_en-1_0/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(file, "a") as packed:
        packed.writestr(link, "/etc/passwd")
    assert "is a link" in fault(file, place)


def test_a_package_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "_MOST_BYTES", 1_000)
    file = package_file(tmp_path, "de", "en", changed={"model/model.bin": b"0" * 2_000})
    assert "the most is 1,000" in fault(file, place)


def test_a_damaged_package_is_refused(tmp_path: Path, place: Path) -> None:
    file = package_file(tmp_path, "de", "en")
    content = bytearray(file.read_bytes())
    content[content.index(b"weights")] ^= 1
    file.write_bytes(content)
    assert "is no intact package (Bad CRC-32" in fault(file, place)
    file.write_bytes(content[: len(content) // 2])
    assert "is no intact package (File is not a zip file)" in fault(file, place)
    assert left_behind(place) == []


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_package_with_flipped_bytes_is_refused_whatever_its_packing(
    packing: int, tmp_path: Path, place: Path
) -> None:
    folder = package_folder(tmp_path, "de", "en", changed={"model/model.bin": bytes(range(256)) * 99})
    file = tmp_path / "flipped.argosmodel"
    with zipfile.ZipFile(file, "w", packing) as packed:
        packed.write(folder / "model" / "model.bin", "x/model/model.bin")
    content = bytearray(file.read_bytes())
    content[60:90] = b"\xff" * 30
    file.write_bytes(content)
    assert f"{file} is no intact package" in fault(file, place)
    assert left_behind(place) == []


def test_others_may_read_what_was_added(tmp_path: Path, place: Path) -> None:
    folder = package_folder(tmp_path, "de", "en")
    file = tmp_path / "flat.argosmodel"
    with zipfile.ZipFile(file, "w") as packed:
        for path in folder.rglob("*"):
            packed.write(path, path.relative_to(folder))
    assert one(file, place).model.folder.stat().st_mode & 0o055 == place.stat().st_mode & 0o055


def test_a_lock_that_names_a_place_outside_is_not_believed(tmp_path: Path, place: Path) -> None:
    one(package_file(tmp_path, "de", "en"), place)
    lock = place / LOCK_NAME
    lock.write_text(lock.read_text().replace('"folder": "translate-de_en-1_0"', '"folder": "../victim"'))
    (tmp_path / "victim").mkdir()
    with pytest.raises(SetupError, match=r"'\.\./victim' is no name of a folder"):
        remove("../victim", place)
    assert (tmp_path / "victim").exists()


def test_a_package_that_changed_since_it_was_added_is_not_used(tmp_path: Path, place: Path) -> None:
    model = one(package_file(tmp_path, "de", "en"), place).model
    (model.folder / "model" / "model.bin").write_bytes(b"weighty")
    models = find_models(TranslateOptions(models_dir=str(place)), (), {"XDG_DATA_HOME": "/nowhere"})
    assert models.found == ()
    assert f"but it had {model.sha256} when it was added" in models.broken[0].reason


def test_an_incomplete_package_is_refused_with_the_reason(tmp_path: Path, place: Path) -> None:
    file = package_file(tmp_path, "de", "en", changed={"model/model.bin": None})
    assert "is no usable package: model/model.bin is missing" in fault(file, place)
    assert left_behind(place) == []


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("nothing-like-this.argosmodel", "is no file, folder, address or pair; name a .argosmodel file or a pair"),
        (".", "holds neither metadata.json nor any .argosmodel file"),
    ],
)
def test_what_cannot_be_meant_is_said(
    wanted: str, message: str, tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in fault(wanted, place)


def test_a_models_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "look after models_dir" in fault(tmp_path, tmp_path / "file" / "models")


# ---- index and addresses -------------------------------------------------------------------------


class Site:
    """A mirror on loopback that can be told to break off, and remembers what it was asked."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        #: Bytes after which the next answers end, one for each answer.
        self.breaks: list[int] = []
        self.status: list[int] = []
        self.asked: list[tuple[str, str | None]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append((self.path, self.headers["Range"]))
                body = site.files.get(self.path)
                if body is None or site.status:
                    self.send_error(site.status.pop(0) if site.status else 404)
                    return
                tag = site.tag_of(self.path)
                start = 0
                if self.headers["Range"] and self.headers["If-Range"] == tag:
                    start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
                if start >= len(body) and start:
                    self.send_error(416)
                    return
                self.send_response(206 if start else 200)
                self.send_header("ETag", tag)
                self.send_header("Content-Length", str(len(body) - start))
                self.end_headers()
                end = start + site.breaks.pop(0) if site.breaks else len(body)
                self.wfile.write(body[start:end])

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def tag_of(self, path: str) -> str:
        return f'"{hashlib.sha256(self.files[path]).hexdigest()[:8]}"'


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(packages, "_PAUSES", (0, 0, 0))
    site = Site()
    yield site
    site.server.shutdown()
    site.server.server_close()


def index_of(*entries: dict[str, object]) -> bytes:
    return json.dumps(entries).encode()


def entry(source: str, target: str, link: str, version: str = "1.0", **more: object) -> dict[str, object]:
    return {**json.loads(metadata(source, target, version)), "code": "x", "links": [link], **more}


def test_a_pair_is_looked_up_in_an_index_and_its_newest_version_fetched(
    site: Site, tmp_path: Path, place: Path
) -> None:
    file = package_file(tmp_path, "de", "en", "1.10")
    site.files["/packages/new"] = file.read_bytes()
    site.files["/index.json"] = index_of(
        entry("de", "en", "ipfs://x", "9.0"),
        entry("de", "en", "packages/old", "1.9"),
        entry("de", "en", "packages/new", "1.10", sha256=hashlib.sha256(file.read_bytes()).hexdigest()),
        entry("el", "en", "packages/old"),
        {"type": "sbd", "links": []},
    )
    added = one("de-en", place, f"{site.address}/index.json")
    assert added.model.version == "1.10"
    assert read_lock(place)[added.model.folder.name].added_from == f"{site.address}/packages/new"
    assert left_behind(place) == [LOCK_NAME, added.model.folder.name]


def test_a_copied_index_is_a_mirror_without_a_network(tmp_path: Path, place: Path) -> None:
    file = package_file(tmp_path, "el", "en")
    index = tmp_path / "index.json"
    index.write_bytes(index_of(entry("el", "en", file.name)))
    assert one("translate-el_en", place, str(index)).model.source == "el"


def test_a_pair_that_the_index_lacks_is_said_with_what_it_has(tmp_path: Path, place: Path) -> None:
    index = tmp_path / "index.json"
    index.write_bytes(index_of(entry("de", "fr", "x"), entry("el", "en", "x")))
    assert "has no de-en; with de it has: de-fr" in fault("de-en", place, str(index))


@pytest.mark.parametrize("text", [b"", b"{}", b'[{"links": 3}]', b"[3]", b"\xff"])
def test_an_index_in_another_form_is_said(text: bytes, tmp_path: Path, place: Path) -> None:
    index = tmp_path / "index.json"
    index.write_bytes(text)
    assert "is not in argospm's form" in fault("de-en", place, str(index))


def test_a_download_that_breaks_off_goes_on_where_it_was(site: Site, tmp_path: Path) -> None:
    body = bytes(range(256)) * 400
    site.files["/x"], site.breaks = body, [30_000, 20_000]
    download(f"{site.address}/x", tmp_path / "x", hashlib.sha256(body).hexdigest())
    assert (tmp_path / "x").read_bytes() == body
    assert [asked for _, asked in site.asked] == [None, "bytes=30000-", "bytes=50000-"]
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_file_that_changed_in_between_is_fetched_anew(site: Site, tmp_path: Path) -> None:
    site.files["/x"], site.breaks = b"a" * 1_000, [100] * 4
    with pytest.raises(SetupError):
        download(f"{site.address}/x", tmp_path / "x", None)
    site.files["/x"], site.breaks = b"b" * 1_000, []
    download(f"{site.address}/x", tmp_path / "x", None)
    assert (tmp_path / "x").read_bytes() == b"b" * 1_000


def test_a_file_that_was_whole_already_is_fetched_anew(site: Site, tmp_path: Path) -> None:
    site.files["/x"] = b"x" * 100
    (tmp_path / "x.part").write_bytes(b"y" * 100)
    (tmp_path / "x.part.tag").write_text(site.tag_of("/x"))
    download(f"{site.address}/x", tmp_path / "x", None)
    assert (tmp_path / "x").read_bytes() == b"x" * 100


@pytest.mark.parametrize("path", ["/a b", "/\u00e4", ":x/y"])
def test_an_address_that_is_none_is_said(path: str, site: Site, place: Path) -> None:
    assert "cannot be fetched" in fault(f"{site.address}{path}", place)


def test_a_refused_package_leaves_nothing_and_is_named_by_its_address(site: Site, place: Path) -> None:
    site.files["/lock"] = b"no zip"
    assert fault(f"{site.address}/lock", place).startswith(f"{site.address}/lock is no intact package")
    assert left_behind(place) == []


def test_a_server_that_stumbles_is_asked_again_but_not_one_that_says_no(site: Site, tmp_path: Path) -> None:
    site.files["/x"], site.status = b"x", [503, 500]
    download(f"{site.address}/x", tmp_path / "x", None)
    assert len(site.asked) == 3
    with pytest.raises(SetupError, match=r"/gone cannot be fetched \(Not Found\)"):
        download(f"{site.address}/gone", tmp_path / "y", None)
    assert len(site.asked) == 4


def test_a_download_that_is_not_what_the_index_says_is_thrown_away(site: Site, tmp_path: Path) -> None:
    site.files["/x"] = b"other"
    with pytest.raises(SetupError, match=r"has SHA-256 d9298a10\w+, but the index says 000"):
        download(f"{site.address}/x", tmp_path / "x", "0" * 64)
    assert not list(tmp_path.iterdir())


def test_without_a_network_it_says_how_to_go_on(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "_PAUSES", ())
    said = fault("http://127.0.0.1:9/translate-de_en.argosmodel", place)
    assert "cannot be fetched" in said
    assert said.endswith("copy the package to this machine and name its file: babelwire models add FILE.argosmodel")
