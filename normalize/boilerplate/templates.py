"""Templates of sites, learned: what recurs at the edges of a host's pages is not their story.

A judge sees one page. That the same paragraph stands below each article of a site shows only beside the others, of this
run and of earlier nights. So each host's pages are counted: on how many distinct articles a block stood at the upper edge
of the story, on how many at the lower edge, and on how many it had been removed already. What recurs is taken off the
edges, block after block, until one stands that does not recur.

Counting is easy; not to take what belongs to a story is the work. These guards hold:

- Only distinct articles teach. What has the address of an article that has taught, or its headline and some of its text,
  or most of its text (a snapshot, a revision, a syndicated story under a second address), teaches nothing.
- Lists of stories and error pages neither teach nor are cut: their blocks are other pages' leads.
- Three articles are the least, and the longer a block, the more of the host's pages must have it. A quotation in two
  articles stays.
- Only the edges are cut. What recurs inside of stories ("Pros", "The verdict") is the way they are written.
- The first paragraph must have been first on three articles: other pages show it as a teaser, and there it was removed.
- An article of nothing but templates is left alone.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from normalize.column import DENSE, at_least
from normalize.describe import without
from normalize.fingerprint import block_print, fingerprint
from normalize.options import DocumentOptions
from schemas.document import Article, PageType
from schemas.errors import SetupError

#: One file per run and in it one row per host: what the run added.
STATE: Final = pl.Schema(
    {
        "host": pl.String(),
        "day": pl.Date(),
        #: Distinct articles that taught.
        "pages": pl.UInt32(),
        #: What they, and copies of them, are known by: address, headline, longest paragraphs; the lower half of 64 bits each.
        "names": pl.List(pl.UInt32()),
        #: Prints of blocks, ascending, and beside each on how many of the articles it stood where.
        "blocks": pl.List(pl.UInt64()),
        "top": pl.List(pl.UInt16()),
        "bottom": pl.List(pl.UInt16()),
        "removed": pl.List(pl.UInt16()),
    }
)

#: Blocks of a page that are counted as its upper and its lower edge.
_TOP: Final = 3
_BOTTOM: Final = 6

#: Articles that a block must recur on.
_LEAST: Final = 3
#: The share of a host's pages that must have a block: .05 and a little more for each letter, up to half of them. A quotation
#: of 100 letters needs a fifth of the pages, a paragraph of 270 letters half. Half of that will do at the top: a story's
#: first sentences are its own; what stories share, background and disclaimers of agencies, stands further down.
_SHARE: Final = 0.05
_LETTERS_FOR_ALL: Final = 600
_MOST_SHARE: Final = 0.5
_TOP_FACTOR: Final = 0.5
#: Letters of an alphabet that say as much as one Chinese, Japanese or Korean character.
_DENSE_TIMES: Final = 3

#: An article is known when half of its longest paragraphs are, and those are this long together, in letters: less may be the
#: template of a page that hardly says more. Where the headline is known too, a quarter will do; some sites give all their
#: pages one headline, so the headline alone will not.
_LONGEST: Final = 4
_KNOWN_SHARE: Final = 0.5
_KNOWN_LETTERS: Final = 400
_KNOWN_SHARE_OF_NAMESAKES: Final = 0.25
_HALF: Final = (1 << 32) - 1

#: Distinct articles of one host that teach in one run, and that are looked back on. Both bound the state; with more, a
#: share would be no surer than .01.
_ENOUGH: Final = 100
#: How long an article is remembered.
_DAYS: Final = 30
#: A run with fewer pages of a host keeps what stood on one of them only: a host may show one page a night.
_FEW: Final = 20

_STORIES: Final[frozenset[PageType]] = frozenset(("article", "live_blog", "gallery", "video", "paywall_stub"))


class Templates:
    """What recurs on the pages of each host: what earlier runs saved, and what this run adds in document order."""

    def __init__(
        self, earlier: pl.DataFrame, run_date: date, options: DocumentOptions, outdated: tuple[str, ...] = ()
    ) -> None:
        """Begin with what earlier runs saved, in the form of ``STATE``.

        Args:
            earlier: One row per run and host.
            run_date: The day of this run.
            options: How the language of a text is found again once its templates are gone.
            outdated: See the attribute.
        """
        #: Files of ``load`` that hold nothing but what is too old to count.
        self.outdated = outdated
        self._run_date = run_date
        self._options = options
        self._earlier = _looked_back_on(earlier, run_date)
        self._rows: dict[str, list[int]] = defaultdict(list)
        for number, host in enumerate(self._earlier["host"]):
            self._rows[host].append(number)
        self._sites: dict[str, _Site] = {}
        #: What the last chunk taught.
        self._added: list[tuple[str, _Lesson]] = []

    @classmethod
    def load(cls, folder: Path | None, *, run_date: date, options: DocumentOptions) -> Self:
        """Remember what earlier runs saved in a folder of Parquet files; None for nothing.

        Raises:
            SetupError: If a file there is not one of ours.
        """
        files = sorted(folder.glob("*.parquet")) if folder else []
        heads = [_read(file, ["host", "day", "pages"]).with_columns(file=pl.lit(file.name)) for file in files]
        fresh = {file.name for file, head in zip(files, heads, strict=True) if not _recent(head, run_date).is_empty()}
        # Thirty nights of many hosts are a gigabyte, and a host is looked back on for a few of them.
        rows = pl.concat([head.with_row_index("row") for head in heads]) if heads else None
        wanted = _looked_back_on(rows, run_date) if rows is not None else None
        earlier = [pl.DataFrame(schema=STATE)]
        for file in files:
            table = _read(file)
            if wanted is not None:
                earlier.append(table[wanted.filter(pl.col("file") == file.name)["row"].sort()])
        return cls(pl.concat(earlier), run_date, options, tuple(sorted({file.name for file in files} - fresh)))

    def cut(self, articles: Sequence[Article]) -> tuple[Article, ...]:
        """Learn from a chunk of articles, then take the templates of their hosts from them."""
        by_host: dict[str, list[Article]] = defaultdict(list)
        for article in articles:
            host = _host(article)
            if host and article.page_type in _STORIES:
                by_host[host].append(article)
        self._added = [(host, self._site(host).learn(pages)) for host, pages in by_host.items()]
        return tuple(self._without_templates(article) for article in articles)

    def added(self) -> pl.DataFrame:
        """Give what the last chunk taught, in the form of ``STATE``; a block may come several times."""
        rows = [
            (host, self._run_date, lesson.pages, lesson.names, lesson.blocks, *lesson.places.tolist())
            for host, lesson in self._added
            if lesson.names
        ]
        return pl.DataFrame(rows, schema=STATE, orient="row")

    def restore(self, added: pl.DataFrame) -> None:
        """Take in what ``added`` gave for a chunk, as if its articles had been learned from again."""
        for host, _, pages, names, blocks, *places in added.iter_rows():
            self._site(host).take_in(_Lesson(pages, names, blocks, np.array(places, np.int64)))

    def save(self, path: Path) -> None:
        """Write what was added since ``load``; nothing where nothing was."""
        rows = [
            (host, self._run_date, site.own_pages, site.own_names, *site.own.worth_keeping(few=site.own_pages < _FEW))
            for host, site in sorted(self._sites.items())
            if site.own_names
        ]
        if rows:
            pl.DataFrame(rows, schema=STATE, orient="row").write_parquet(path, compression="zstd", statistics=True)

    def _site(self, host: str) -> "_Site":
        if host not in self._sites:
            site = _Site()
            if host in self._rows:
                earlier = self._earlier[self._rows[host]]
                site.pages = int(earlier["pages"].sum())
                site.names = set(earlier["names"].explode())
                blocks, *places = (earlier[name].explode() for name in ("blocks", "top", "bottom", "removed"))
                site.counts.add(blocks.drop_nulls().to_list(), np.array([p.drop_nulls() for p in places], np.int64))
            self._sites[host] = site
        return self._sites[host]

    def _without_templates(self, article: Article) -> Article:
        site = self._sites.get(_host(article) or "")
        if site is None or article.page_type not in _STORIES:
            return article
        cut = site.templates_of(article)
        return fingerprint(without(article, cut, self._options)) if cut else article


@dataclass(slots=True)
class _Counts:
    """How many distinct articles have a block where."""

    #: Ascending.
    blocks: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    #: Three rows: at the upper edge, at the lower edge, removed.
    places: NDArray[np.int64] = field(default_factory=lambda: np.empty((3, 0), np.int64))

    def add(self, blocks: Sequence[int], places: NDArray[np.int64]) -> None:
        """Count more; ``places`` has three rows and a column for each block, which may come several times."""
        every = np.concatenate([self.blocks, np.array(blocks, np.uint64)])
        self.blocks, which = np.unique(every, return_inverse=True)
        added = np.zeros((3, len(self.blocks)), np.int64)
        for row, counts in zip(added, np.concatenate([self.places, places], axis=1), strict=True):
            np.add.at(row, which, counts)
        self.places = added

    def of(self, block: int) -> tuple[int, int, int]:
        """Give the articles that have the block at the upper edge, at the lower edge, and removed."""
        at = int(np.searchsorted(self.blocks, np.uint64(block)))
        if at == len(self.blocks) or self.blocks[at] != block:
            return 0, 0, 0
        top, bottom, removed = self.places[:, at].tolist()
        return top, bottom, removed

    def worth_keeping(self, *, few: bool) -> tuple[list[int], list[int], list[int], list[int]]:
        """Give blocks and places of what may become a template: all that recurs, and of few pages each edge."""
        top, bottom, removed = self.places
        edges = np.maximum(top, bottom)  # a short story has one paragraph at both
        chosen = (edges + removed > 1) | (few & (edges > 0))
        return self.blocks[chosen].tolist(), top[chosen].tolist(), bottom[chosen].tolist(), removed[chosen].tolist()


@dataclass(frozen=True, slots=True)
class _Lesson:
    """What the articles of one host in one chunk taught."""

    #: Distinct articles.
    pages: int
    names: list[int]
    #: A block may come several times.
    blocks: list[int]
    #: Three rows as in ``_Counts``, and a column for each block.
    places: NDArray[np.int64]


@dataclass(slots=True)
class _Site:
    """One host."""

    #: Distinct articles that taught: of this run and earlier ones together, and of this run.
    pages: int = 0
    own_pages: int = 0
    names: set[int] = field(default_factory=set)
    own_names: list[int] = field(default_factory=list)
    counts: _Counts = field(default_factory=_Counts)
    own: _Counts = field(default_factory=_Counts)

    def learn(self, articles: Sequence[Article]) -> "_Lesson":
        """Count the blocks of those articles that are distinct from all before, and say what that came to."""
        pages = 0
        names: list[int] = []
        blocks: list[int] = []
        places: list[tuple[int, int, int]] = []
        for article in articles:
            if self.own_pages + pages == _ENOUGH:
                break
            known = self._knows(article)
            new = {
                _address(article),
                _headline(article),
                *(print_ & _HALF for print_, _ in _longest(article)),
            } - self.names
            # Of a copy too: the next revision may share more with it than with the first.
            names += sorted(new)
            self.names |= new
            if known:
                continue
            pages += 1
            top, bottom = set(article.prints[:_TOP]), set(article.prints[-_BOTTOM:])
            removed = article.removed_prints.difference(article.prints)
            for block in sorted((top | bottom | removed) - {0}):
                blocks.append(block)
                places.append((block in top, block in bottom, block in removed))
        lesson = _Lesson(pages, names, blocks, np.array(places, np.int64).reshape(-1, 3).T)
        self.take_in(lesson)
        return lesson

    def take_in(self, lesson: "_Lesson") -> None:
        """Remember what articles taught."""
        self.pages += lesson.pages
        self.own_pages += lesson.pages
        self.names.update(lesson.names)
        self.own_names += lesson.names
        if lesson.blocks:
            self.counts.add(lesson.blocks, lesson.places)
            self.own.add(lesson.blocks, lesson.places)

    def _knows(self, article: Article) -> bool:
        """Is this another state or copy of an article that has taught?"""
        if _address(article) in self.names:
            return True
        longest = _longest(article)
        known = "".join(text for print_, text in longest if print_ & _HALF in self.names)
        letters = sum(len(text) for _, text in longest)
        if _headline(article) in self.names:
            return len(known) >= _KNOWN_SHARE_OF_NAMESAKES * letters
        return len(known) >= _KNOWN_SHARE * letters and at_least(known, _KNOWN_LETTERS)

    def templates_of(self, article: Article) -> dict[int, str]:
        """Find what recurs at the edges of an article: number of the paragraph -> the rule, with its evidence."""
        paragraphs = article.paragraphs
        cut: dict[int, str] = {}
        first = 0
        for number, paragraph in enumerate(paragraphs):
            top, _, removed = self.counts.of(article.prints[number])
            if top >= _LEAST and self._recurs(top + removed, paragraph.text, _TOP_FACTOR):
                cut[number] = self._rule(top + removed)
            elif (
                paragraph.role != "deck"
            ):  # a template may stand between a story's own standfirst and its first paragraph
                first = number
                break
        else:
            return {}
        for number in range(len(paragraphs) - 1, first, -1):
            _, bottom, removed = self.counts.of(article.prints[number])
            if not self._recurs(bottom + removed, paragraphs[number].text):
                break
            cut[number] = self._rule(bottom + removed)
        return cut

    def _recurs(self, articles: int, text: str, factor: float = 1.0) -> bool:
        letters = len(text) * (_DENSE_TIMES if 2 * len(DENSE.findall(text)) > len(text) else 1)
        share = min(_MOST_SHARE, _SHARE + letters / _LETTERS_FOR_ALL)
        return articles >= max(_LEAST, factor * share * self.pages)

    def _rule(self, articles: int) -> str:
        return f"template:{articles} of {self.pages} pages"


def _host(article: Article) -> str | None:
    """Name the site of an article: its host, or the entry of the catalogue that led to it."""
    return article.domain or (f"source {article.raw.source_id}" if article.raw.source_id else None)


def _address(article: Article) -> int:
    return int(article.story_id[-8:], 16)


def _headline(article: Article) -> int:
    return block_print(article.title or "", 0) & _HALF


def _longest(article: Article) -> list[tuple[int, str]]:
    """Give the longest paragraphs of an article, each with its print."""
    pairs = ((print_, paragraph.text) for print_, paragraph in zip(article.prints, article.paragraphs, strict=True))
    return sorted((pair for pair in pairs if pair[0]), key=lambda pair: -len(pair[1]))[:_LONGEST]


def _looked_back_on(rows: pl.DataFrame, run_date: date) -> pl.DataFrame:
    """Give the rows that are not too old, the latest first: of each host back to the run that makes it enough pages."""
    return (
        _recent(rows, run_date)
        .sort("day", descending=True, maintain_order=True)
        .filter(pl.col("pages").cum_sum().over("host") - pl.col("pages") < _ENOUGH)
    )


def _recent(rows: pl.DataFrame, run_date: date) -> pl.DataFrame:
    return rows.filter(pl.col("day") > run_date - timedelta(days=_DAYS))


def _read(file: Path, columns: list[str] | None = None) -> pl.DataFrame:
    """Read some columns of a file, or all.

    Raises:
        SetupError: It is not one of ours.
    """
    try:
        is_ours = pl.read_parquet_schema(file) == STATE
        table = pl.read_parquet(file, columns=columns if is_ours else [])
    except (OSError, pl.exceptions.PolarsError) as error:
        message = f"{file} cannot be read ({error}); delete it, and what it taught of sites is forgotten"
        raise SetupError(message) from error
    if not is_ours:
        message = f"{file} does not hold templates of sites; delete it, and what it taught of sites is forgotten"
        raise SetupError(message)
    return table
