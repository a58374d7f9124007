"""What is known of each line of a text dump: numbers that know no language and no site.

A row per line, a column per name that ``evidence`` gives. Without markup the order of lines is what there is: how long they are, what
stands around them, where prose begins and ends, and which words the story uses.
"""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from normalize.dates import is_date_line
from normalize.dump.lines import Line
from normalize.evidence import (
    START,
    Columns,
    Pieces,
    Rows,
    add_position,
    ratio,
    shifted,
    signed_log,
    since,
    until,
    within,
)

_DIGIT: Final = re.compile(r"\d")
_CAPITALS: Final = re.compile(r"\b[^\W\d_a-zà-ÿа-яёα-ω]")
_MARKS: Final = re.compile(r"[|›»→•·/>»]")
_WORD: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\d_]+")

#: A line with so many characters is prose; shorter ones, from the second number on, are if they end like a sentence.
_PROSE_CHARS: Final = 100
_SENTENCE_CHARS: Final = 40
#: Prose stands mostly outside links.
_PROSE_LINKS: Final = 0.4

#: Longer lines open nothing, in characters.
_HEADING_CHARS: Final = 60
_HEADLINE_CHARS: Final = range(15, 221)

#: Beginnings of words that tell one story's words from another's in most languages, in letters.
_STEM: Final = 6
_STEM_FROM: Final = 4
#: How far above the story its headline may stand, in lines.
_HEADLINE_REACH: Final = 40

#: What a line that is no prose costs a stretch of lines, in characters: a low price gives one long stretch, a high one its core.
_PRICES: Final = (25, 80, 250)
#: No paragraph counts for more, so that one long comment does not outweigh a story; in characters.
_MOST: Final = 800

_ROLES: Final = (
    "comments",
    "related",
    "share",
    "ad",
    "newsletter",
    "cookie",
    "paywall",
    "navigation",
    "section",
    "date",
    "legal",
    "tags",
    "author",
    "credit",
    "source",
)
_OPENING_ROLES: Final = ("comments", "related", "newsletter", "share", "legal", "author")

#: Lines within which others of the same make are looked for, above and below.
_REACH: Final = 8


class _Dump(Pieces[Line]):
    """The lines of a dump and what several groups of evidence need of them."""

    def __init__(self, lines: Sequence[Line]) -> None:
        super().__init__(lines)
        self.links = self.of_each(lambda line: line.link_chars) / self.raw
        sentence = (self.ends > 0) & (self.length >= _SENTENCE_CHARS)
        self.take_for_prose(((self.length >= _PROSE_CHARS) | sentence) & (self.links < _PROSE_LINKS))
        self.spaced = self.of_each(lambda line: line.spaced)
        self.stretches = [self._stretch(price) for price in _PRICES]
        self.stems = [frozenset(_stems(text)) for text in self.texts]

    def _stretch(self, price: float) -> tuple[int, int]:
        """Find the stretch of lines with the most prose for its price: the largest sum of neighbours (Kadane's algorithm)."""
        best, total, start, found = 0.0, 0.0, 0, (0, 0)
        for number, value in enumerate(np.where(self.prose, np.minimum(self.body, _MOST), -price).tolist()):
            if total <= 0:
                total, start = 0.0, number
            total += value
            if total > best:
                best, found = total, (start, number)
        return found


def _stems(text: str) -> list[str]:
    """Give the beginnings of a text's longer words; of dense scripts each pair of characters."""
    words = _WORD.findall(text.casefold())
    pairs = [first + second for first, second in pairwise(words) if len(first) == len(second) == 1]
    return pairs + [word[:_STEM] for word in words if len(word) >= _STEM_FROM]


def evidence(lines: Sequence[Line]) -> tuple[list[str], Rows]:
    """Describe each line; gives the names of the columns and a row per line.

    Args:
        lines: All of a dump, in order; at least one.
    """
    dump, out = _Dump(lines), Columns()
    for group in (_text, _lexicon, add_position, _stretches, _words, _runs, _neighbours, _whole):
        group(dump, out)
    return out.names, out.rows()


def _text(dump: _Dump, out: Columns) -> None:
    measured = dump.measured
    words, start = measured["words"], np.minimum(dump.raw, START)
    out.add("length", np.log1p(dump.length))
    out.add("word_length", dump.raw / words)
    out.add("sentences", measured["sentences"])
    out.add("commas", measured["commas"])
    out.add("commas_share", measured["commas"] / words)
    out.add("digits", measured["digits"] / start)
    out.add("capitals", dump.each(lambda text: len(_CAPITALS.findall(text[:START]))) / np.minimum(words, start))
    out.add("ends", dump.ends)
    for name in ("opens", "lower_start", "digit_start", "time"):
        out.add(name, measured[name])
    out.add("marks", dump.each(lambda text: len(_MARKS.findall(text[:START]))))
    out.add("contact", measured["contact"])
    out.add("asks", dump.each(lambda text: text.endswith(("?", "？", "؟"))))
    out.add("colon", measured["colon"])
    out.add("dots", dump.each(lambda text: text.endswith(("...", "…", "[…]", "(...)"))))
    out.add("prose", dump.prose)
    out.add("spaced", dump.spaced)
    out.add("spaced_after", shifted(dump.spaced, 1, 1.0))
    out.add("item", dump.of_each(lambda line: line.mark == "item"))
    out.add("heading", dump.of_each(lambda line: line.mark == "heading"))
    out.add("tabs", dump.of_each(lambda line: line.tabs))
    out.add("links", dump.links)


def _lexicon(dump: _Dump, out: Columns) -> None:
    """Say which role the words of a line have, and how far the nearest line of a kind stands."""
    roles = np.array([role or "" for role in dump.roles()])
    for role in _ROLES:
        out.add(f"says_{role}", roles == role)
    short = dump.length < _HEADING_CHARS
    for role in _OPENING_ROLES:
        opens = (roles == role) & short
        out.add(f"since_{role}", np.where(opens, 0, since(opens)))
        out.add(f"until_{role}", np.where(opens, 0, until(opens)))
    labels = (roles != "") & short
    out.add("labels_near", within(labels.astype(np.float32), _REACH, _REACH))
    dates = np.fromiter(
        (len(t) <= _HEADING_CHARS and _DIGIT.search(t) is not None and is_date_line(t) for t in dump.texts), np.bool_, dump.size
    )  # fmt: skip
    out.add("is_date", dates)
    out.add("since_date", np.where(dates, 0, since(dates)))
    out.add("until_date", np.where(dates, 0, until(dates)))
    out.add("dates", np.full(dump.size, dates.sum(), np.float32))


def _stretches(dump: _Dump, out: Columns) -> None:
    """Say where a line stands to the stretches of lines that hold most prose."""
    for price, (first, last) in zip(_PRICES, dump.stretches, strict=True):
        held = float(dump.body[first : last + 1].sum())
        for name, away in (("first", dump.index - first), ("last", dump.index - last)):
            out.add(f"from_{name}_{price}", signed_log(away))
        out.add(f"inside_{price}", (dump.index >= first) & (dump.index <= last))
        out.add(f"held_{price}", np.full(dump.size, held / max(dump.all_prose, 1.0)))
    first, last = dump.stretches[1]
    above = np.cumsum(dump.body) - dump.body
    out.add("prose_since_first", np.log1p(np.maximum(above - above[first], 0)))
    out.add("prose_until_last", np.log1p(np.maximum(above[last] - above, 0)))


def _words(dump: _Dump, out: Columns) -> None:
    """Say how many words of a line the story uses too, and which line looks like its headline."""
    first, last = dump.stretches[1]
    used = Counter(stem for n in range(first, last + 1) if dump.prose[n] for stem in dump.stems[n])
    inside = (dump.index >= first) & (dump.index <= last) & dump.prose

    def share(number: int) -> float:
        stems = dump.stems[number]
        own = int(inside[number])  # a line is no witness for itself
        return sum(used[stem] > own for stem in stems) / len(stems) if stems else 0.0

    shares = np.fromiter(map(share, range(dump.size)), np.float32, dump.size)
    out.add("story_words", shares)
    out.add("story_words_near", within(shares * dump.length, 3, 3) / within(dump.length, 3, 3))
    out.add("words", np.log1p(np.fromiter(map(len, dump.stems), np.float32, dump.size)))
    title = headline(dump.texts, shares.tolist(), [len(stems) for stems in dump.stems], first)
    away = dump.index - title
    above = np.cumsum(dump.body) - dump.body
    out.add("from_title", signed_log(away))
    gone = above - above[title]
    out.add("prose_since_title", signed_log(gone))
    wanted = dump.stems[title]
    out.add(
        "title_words", np.fromiter((len(s & wanted) / max(len(wanted), 1) for s in dump.stems), np.float32, dump.size)
    )


def headline(texts: Sequence[str], shares: Sequence[float], sizes: Sequence[int], first: int) -> int:
    """Guess which line is the headline: above the story, and full of its words.

    Args:
        texts: All lines.
        shares: Of the words of each, how many the story uses.
        sizes: How many words each has.
        first: Where the story begins.
    """
    best, found = 0.0, first
    for number in range(max(0, first - _HEADLINE_REACH), min(first + 2, len(texts))):
        text = texts[number]
        if len(text) in _HEADLINE_CHARS and not text.endswith((".", "。", "।")):
            score = shares[number] * min(sizes[number], 8) - 0.02 * max(first - number, 0)
            if score > best:
                best, found = score, number
    return found


def _runs(dump: _Dump, out: Columns) -> None:
    """Say of the lines without a blank line between them what they are together."""
    runs = np.cumsum(dump.spaced > 0)
    count = np.bincount(runs)[runs].astype(np.float32)
    chars = np.bincount(runs, weights=dump.length)[runs].astype(np.float32)
    prose = np.bincount(runs, weights=dump.body)[runs].astype(np.float32)
    out.add("run_lines", np.log1p(count))
    out.add("run_mean", np.log1p(chars / count))
    out.add("run_prose", prose / chars)
    out.add("run_of_prose", ratio(prose, dump.all_prose))


def _neighbours(dump: _Dump, out: Columns) -> None:
    log_length = np.log1p(dump.length)
    for by in (-4, -3, -2, -1, 1, 2, 3, 4):
        out.add(f"length{by:+}", shifted(log_length, by))
    for by in (-2, -1, 1, 2):
        out.add(f"ends{by:+}", shifted(dump.ends, by))
        out.add(f"links{by:+}", shifted(dump.links, by))
    for name, above, below in (
        ("above", 6, -1),
        ("below", -1, 6),
        ("above20", 20, -1),
        ("below20", -1, 20),
        ("near", 3, 3),
        ("around", 12, 12),
    ):
        out.add(f"prose_{name}", ratio(within(dump.body, above, below), within(dump.length, above, below)))
        count = within(np.ones(dump.size, np.float32), above, below)
        out.add(f"mean_{name}", np.log1p(within(dump.length, above, below) / np.maximum(count, 1)))
    out.add("since_prose", since(dump.prose))
    out.add("until_prose", until(dump.prose))
    out.add("repeats", dump.repeats())
    # Comments, tickers and lists of links repeat a word in the same place: "Reply", "Read more", "5 min ago".
    for name, word in (("first", 0), ("last", -1)):
        words = [text.split()[word] for text in dump.texts]
        out.add(f"same_{name}_word", np.fromiter(
            (_alike(words, number) for number in range(dump.size)), np.float32, dump.size
        ))  # fmt: skip


def _alike(words: Sequence[str], number: int) -> int:
    near = words[max(0, number - _REACH) : number + _REACH + 1]
    return near.count(words[number]) - 1


def _whole(dump: _Dump, out: Columns) -> None:
    for name, value in (
        ("text", np.log1p(dump.all_text)),
        ("prose_share", dump.all_prose / max(dump.all_text, 1.0)),
        ("lines", np.log1p(dump.size)),
        ("link_share", float((dump.length * dump.links).sum()) / max(dump.all_text, 1.0)),
        ("dense", float(dump.dense.sum() / dump.raw.sum())),
        ("spaced_share", float(dump.spaced.mean())),
    ):
        out.add(f"page_{name}", np.full(dump.size, value, np.float32))
