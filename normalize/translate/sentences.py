"""A text as sentences and what lies between them, and back again.

    "Er kam. Siehe https://x.example"  ->  "Er kam." | " " | "Siehe" | " https://x.example"

Sentences are translated; spaces, addresses and text without a letter stay as they are.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from normalize.column import DENSE
from normalize.translate.entities import pieces

Split = Callable[[str], Sequence[str]]
"""Cuts a text into its sentences, in order; what lies between them may be left out."""

#: Longer sentences are cut between clauses: the models in use are trained on up to some 200 tokens, and CTranslate2
#: stops writing after 256 without a word. In characters; an ideograph counts as three.
MOST_CHARS: Final = 500

_LETTER = re.compile(r"[^\W\d_]")
_SPACE = re.compile(r"\s+")

#: Where a long sentence may be cut, best first.
_CUTS: Final = (
    re.compile(r"[;；:：؛·](?=\s|[\u3040-\u9fff])\s*"),
    re.compile(r"[,，、،](?=\s|[\u3040-\u9fff])\s*|\s[–—]\s"),
    re.compile(r"\s+"),
    re.compile(r"(?<=[。！？、，])"),
)

#: Languages that write without spaces between words, so sentences are joined without one.
_UNSPACED: Final = frozenset(("zh", "ja", "th", "lo", "my", "km", "bo"))


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a text: to be translated, or to stay."""

    text: str
    translate: bool


def cut(text: str, split: Split) -> tuple[Part, ...]:
    """Cut a text into parts that make up exactly the text when they are joined."""
    parts: list[Part] = []
    for stretch, is_sentence in _placed(text, split(text)):
        if not is_sentence:
            parts.append(Part(stretch, translate=False))
            continue
        for piece in pieces(stretch):
            if piece.keep:
                parts.append(Part(piece.text, translate=False))
            else:
                parts += _translatable(piece.text)
    return tuple(part for part in parts if part.text)


def _placed(text: str, sentences: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Find the sentences in their text; gives them and what lies between, as (stretch, is a sentence)."""
    spans: list[tuple[int, int]] = []
    done = 0
    for sentence in sentences:
        body = sentence.strip()
        at = text.find(body, done) if body else -1
        if at < 0:
            continue  # a splitter may have normalised it; it stays between the others
        done = at + len(body)
        # Splitters take many an abbreviation for the end: "4,2 εκατ. ευρώ". No sentence begins with a small letter.
        if spans and body[0].islower() and text[spans[-1][1] - 1] == ".":
            spans[-1] = (spans[-1][0], done)
        else:
            spans.append((at, done))
    done = 0
    for start, end in (*spans, (len(text), len(text))):
        between = text[done:start]
        yield between, bool(between.strip())
        yield text[start:end], True
        done = end


def _translatable(text: str) -> Iterator[Part]:
    """Part a stretch from the spaces around it, and cut it where it is too long for a model."""
    body = text.strip()
    if not _LETTER.search(body):
        yield Part(text, translate=False)
        return
    start = text.index(body)
    yield Part(text[:start], translate=False)
    for number, clause in enumerate(_clauses(body)):
        if number:
            space = clause[: len(clause) - len(clause.lstrip())]
            yield Part(space, translate=False)
        yield Part(clause.strip(), translate=bool(_LETTER.search(clause)))
    yield Part(text[start + len(body) :], translate=False)


def _weight(text: str) -> int:
    return len(text) + 2 * len(DENSE.findall(text)) if len(text) * 3 > MOST_CHARS else len(text)


def _clauses(sentence: str) -> Iterator[str]:
    """Cut near the middle, at the best kind of place there is, until no piece is too long."""
    if _weight(sentence) <= MOST_CHARS:
        yield sentence
        return
    middle = len(sentence) // 2
    at = middle
    for pattern in _CUTS:
        # From the first to the last quarter: nearer to the ends a cut would help little.
        places = [match.end() for match in pattern.finditer(sentence, len(sentence) // 4, 3 * len(sentence) // 4)]
        if places:
            at = min(places, key=lambda place: abs(place - middle))
            break
    # A space at the cut goes to the right-hand side, where the caller looks for it.
    left = sentence[:at].rstrip()
    yield from _clauses(left)
    right = sentence[len(left) :]
    space = right[: len(right) - len(right.lstrip())]
    for number, clause in enumerate(_clauses(right.lstrip())):
        yield clause if number else space + clause


def join(parts: Sequence[Part], translated: Mapping[str, str], target: str) -> str:
    """Put a text together again from translated parts.

    Args:
        parts: As ``cut`` gave them.
        translated: For the text of each part to translate, its translation.
        target: Language of the translations: it decides whether sentences stand apart.
    """
    spaced = target.partition("-")[0] not in _UNSPACED
    found: list[str] = []
    before: Part | None = None
    for number, part in enumerate(parts):
        after = parts[number + 1] if number + 1 < len(parts) else None
        between = before is not None and before.translate and after is not None and after.translate
        if not part.translate:
            # A plain space between two sentences belongs to the writing of the source.
            if not (between and not spaced and _SPACE.fullmatch(part.text) and "\n" not in part.text):
                found.append(part.text)
        else:
            if before is not None and before.translate and spaced:
                found.append(" ")
            found.append(translated[part.text])
        before = part
    return "".join(found)
