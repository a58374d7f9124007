"""Versions of the tools whose work shows in the output."""

import platform
from importlib.metadata import PackageNotFoundError, version

# Each of these can change what a record says without any change of ours.
TOOLS = (
    "courlan",
    "ctranslate2",
    "fastwarc",
    "ftfy",
    "langdetect",
    "py3langid",
    "pycld2",
    "lightgbm",
    "lxml",
    "polars",
    "sentencepiece",
    "sentencex",
    "trafilatura",
)


def babelwire_version() -> str:
    """Give our own version; ``source`` when run from a checkout that is not installed."""
    return _version("babelwire", otherwise="source")


def tool_versions() -> dict[str, str]:
    """Give name and version of Python, babelwire and every tool, sorted by name."""
    versions = {name: _version(name, otherwise="not installed") for name in TOOLS}
    versions["babelwire"] = babelwire_version()
    versions["python"] = platform.python_version()
    return dict(sorted(versions.items()))


def _version(name: str, *, otherwise: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return otherwise
