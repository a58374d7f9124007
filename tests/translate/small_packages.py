"""Packages that look like argos packages and hold nothing that could translate: for what happens before loading."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

PARTS = {
    "model/model.bin": b"weights",
    "model/config.json": b"{}",
    "sentencepiece.model": b"pieces",
    "README.md": b"words",
}


Changed = Mapping[str, bytes | None]
"""Parts of a package that are to have other content, or none."""


def metadata(source: str, target: str, version: str = "1.0", **more: object) -> bytes:
    says = {"package_version": version, "argos_version": "1.9", "from_code": source, "to_code": target, **more}
    return json.dumps(says).encode()


def package_folder(place: Path, source: str, target: str, version: str = "1.0", changed: Changed | None = None) -> Path:
    """Write an unpacked package."""
    folder = place / f"translate-{source}_{target}-{version.replace('.', '_')}"
    parts: dict[str, bytes | None] = {**PARTS, "metadata.json": metadata(source, target, version), **(changed or {})}
    for name, content in parts.items():
        if content is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    return folder


def package_file(place: Path, source: str, target: str, version: str = "1.0", changed: Changed | None = None) -> Path:
    """Write a packed package."""
    folder = package_folder(place / "unpacked", source, target, version, changed)
    file = place / f"{folder.name}.argosmodel"
    with zipfile.ZipFile(file, "w") as packed:
        for path in sorted(folder.rglob("*")):
            packed.write(path, path.relative_to(folder.parent))
    return file
