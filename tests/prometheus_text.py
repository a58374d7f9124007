"""A strict reader of the Prometheus text format, as a judge of what we write."""

import re
from dataclasses import dataclass

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_HELP = re.compile(rf"# HELP ({_NAME}) ((?:[^\\\n]|\\\\|\\n)*)")
_TYPE = re.compile(rf"# TYPE ({_NAME}) (counter|gauge|histogram|summary|untyped)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"')
_SAMPLE = re.compile(rf"({_NAME})(?:\{{({_LABEL.pattern}(?:,{_LABEL.pattern})*)\}})? (-?[0-9]+(?:\.[0-9]+)?)")


@dataclass(frozen=True, kw_only=True)
class Sample:
    name: str
    labels: dict[str, str]
    value: float


def families(text: str) -> dict[str, tuple[str, list[Sample]]]:
    """Read a file; give name -> meaning and samples. Anything out of place is a ValueError."""
    if not text.endswith("\n"):
        message = "the last line has no end"
        raise ValueError(message)
    found: dict[str, tuple[str, list[Sample]]] = {}
    lines = iter(text.removesuffix("\n").split("\n"))
    for line in lines:
        if begin := _HELP.fullmatch(line):
            name = begin[1]
            kind = _TYPE.fullmatch(next(lines, ""))
            if name in found or not kind or kind[1] != name:
                message = f"HELP and TYPE of {name} are not one pair"
                raise ValueError(message)
            found[name] = (begin[2], [])
        else:
            sample = _sample(line)
            if sample.name != next(reversed(found), None):
                message = f"a sample of {sample.name} lies outside its family"
                raise ValueError(message)
            samples = found[sample.name][1]
            if sample.labels in [other.labels for other in samples]:
                message = f"twice the same sample: {line}"
                raise ValueError(message)
            samples.append(sample)
    return found


def _sample(line: str) -> Sample:
    parts = _SAMPLE.fullmatch(line)
    if not parts:
        message = f"not a sample: {line!r}"
        raise ValueError(message)
    labels = dict(_LABEL.findall(parts[2] or ""))
    escapes = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}
    plain = {name: re.sub(r"\\.", lambda escape: escapes[escape[0]], value) for name, value in labels.items()}
    return Sample(name=parts[1], labels=plain, value=float(parts[parts.re.groups]))
