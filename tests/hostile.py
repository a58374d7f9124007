"""Makers of hostile and broken documents, for the tests that send them down the real road.

Each maker gives the bytes of one page. They are made when asked for, as most are several megabytes long. ``PAGES`` names
them all; to add one, write a line there.
"""

import gzip
import json
import zlib
from collections.abc import Callable, Sequence
from functools import partial

STORY = (
    (
        "The night ferry to the island sailed again on Monday, eleven months after the storm that broke the northern pier. "
        "More than two hundred people stood on the quay and sang as the ropes were cast off, harbour staff said."
    ),
    (
        "Engineers had replaced forty metres of timber and moved the ticket office to higher ground. The work cost less than "
        "planned, the council said, because the village lent its own boats and cranes during the winter."
    ),
    "The crossing takes three hours. There will be two sailings a week until May and one a day in the summer months.",
)
TITLE = "Night ferry sails again after eleven months"

MILLION = 1_000_000
#: Items of a kind: twenty times as many take half a minute and more each, too long for a test of every night.
MANY = 5_000
#: Characters of one piece, for the same reason.
LONG = 1_000_000


def page(
    body: str | None = None, *, head: str = "", title: str = TITLE, before: str = "", start: str = "<!doctype html>"
) -> bytes:
    """A sound news page, with whatever the caller puts into it."""
    story = "".join(f"<p>{text}</p>" for text in STORY) if body is None else body
    return (
        f'{start}<html lang="en"><head><meta charset="utf-8"><title>{title}</title>{head}</head>'
        f"<body>{before}<article><h1>{title}</h1>{story}</article></body></html>"
    ).encode()


def with_story(body: str) -> bytes:
    """A sound page with something more below its story."""
    return page("".join(f"<p>{text}</p>" for text in STORY) + body)


def text_dump() -> str:
    """The same story as plain text."""
    return "\n\n".join((TITLE, *STORY))


def json_ld(data: str) -> bytes:
    """A sound page with this as its JSON-LD."""
    return page(head=f'<script type="application/ld+json">{data}</script>')


BILLION_LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE html [<!ENTITY a0 "lol">'
    + "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(12))
    + "]>"
)
EXTERNAL_ENTITY = '<?xml version="1.0"?><!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/passwd">]>'

NESTING: dict[str, Callable[[], bytes]] = {
    "a million open div": lambda: with_story("<div>" * MILLION + "deep down"),
    "a million nested div": lambda: with_story("<div>" * MILLION + "deep down" + "</div>" * MILLION),
    "a million open b": lambda: with_story("<b>" * MILLION + "deep down"),
    "a million nested b": lambda: with_story("<b>" * MILLION + "deep down" + "</b>" * MILLION),
    "a million open table": lambda: with_story("<table><tr><td>" * MILLION + "deep down"),
    "a million nested table": lambda: with_story("<table><tr><td>" * MILLION + "x" + "</td></tr></table>" * MILLION),
    "a million open li": lambda: with_story("<ul><li>" * MILLION + "deep down"),
    "a million open a": lambda: with_story('<a href="/x">' * MILLION + "deep down"),
    "a million closing tags": lambda: with_story("</div></p></b>" * MILLION),
    "four hundred nested div around the story": lambda: page(
        "<div>" * 400 + "".join(f"<p>{text}</p>" for text in STORY) + "</div>" * 400
    ),
}
"""Trees made to exhaust a stack."""

BREADTH: dict[str, Callable[[], bytes]] = {
    "a million p": lambda: with_story("<p>x" * MILLION),
    "a million br": lambda: with_story("x<br>" * MILLION),
    "ten thousand p": lambda: with_story("<p>x" * 10_000),
    "five thousand links": lambda: with_story(
        "".join(f'<p><a href="/story/{n}">Story number {n} of the day</a></p>' for n in range(MANY))
    ),
    "five thousand links in one p": lambda: with_story(
        "<p>" + "".join(f'<a href="/story/{n}">Story number {n}</a> ' for n in range(MANY)) + "</p>"
    ),
    "five thousand paragraphs that differ": lambda: with_story(
        "".join(
            f"<p>The ferry number {n} left the harbour with {n * 7} people on board, officials said.</p>"
            for n in range(MANY)
        )
    ),
    "five thousand times the same paragraph": lambda: with_story(f"<p>{STORY[2]}</p>" * MANY),
    "a table of five thousand rows": lambda: with_story(
        "<table>" + "".join(f"<tr><td>{n}</td><td>boats</td></tr>" for n in range(MANY)) + "</table>"
    ),
    "five thousand pictures": lambda: with_story(
        "".join(
            f'<figure><img src="/{n}.jpg" alt="Boat {n}"><figcaption>Boat {n}. Photo: A. Smith</figcaption></figure>'
            for n in range(MANY)
        )
    ),
    "five thousand dates": lambda: with_story(
        "".join(f'<p><time datetime="2026-01-07T06:{n % 60:02}:00Z">7 January 2026</time></p>' for n in range(MANY))
    ),
    "five thousand meta": lambda: page(
        head="".join(
            f'<meta property="article:tag" content="tag {n}"><meta name="author" content="Jane Doe {n}">'
            for n in range(MANY)
        )
    ),
    "five thousand h1": lambda: page(before="".join(f"<h1>Ferry {n} sails again</h1>" for n in range(MANY))),
    "five thousand scripts": lambda: with_story("<script>var a = 1;</script>" * MANY),
    "five thousand comments": lambda: with_story("<!-- nothing -->" * MANY),
}
"""More of the same than any honest page has."""

LENGTH: dict[str, Callable[[], bytes]] = {
    "1 MB without a space": lambda: with_story(f"<p>{'x' * LONG}</p>"),
    "1 MB of Chinese without a space": lambda: with_story(f"<p>{'渡船夜航' * (LONG // 12)}</p>"),
    "1 MB of words in one paragraph": lambda: with_story(f"<p>{'ferry sails ' * (LONG // 12)}</p>"),
    "1 MB of sentences in one paragraph": lambda: with_story(f"<p>{(STORY[2] + ' ') * (LONG // 110)}</p>"),
    "an attribute of 1 MB": lambda: with_story(f'<p class="{"x" * LONG}">An end.</p>'),
    "an attribute of 1 MB of words": lambda: with_story(f'<p class="{"share-x nav " * (LONG // 12)}">An end.</p>'),
    "an address of 1 MB": lambda: with_story(f'<p><a href="http://a.example/{"x" * LONG}">An end.</a></p>'),
    "a title of 1 MB": lambda: page(title="Ferry " * 166_667),
    "a title of 1 MB without a space": lambda: page(title="x" * MILLION),
    "a script of 1 MB": lambda: page(head=f"<script>{'var a = 1;' * (LONG // 10)}</script>"),
    "a comment of 1 MB": lambda: page(head=f"<!--{'-x' * (LONG // 2)}-->"),
    "a comment that never ends": lambda: page(before=f"<!--{'x' * MILLION}"),
    "a toolbar of the Wayback Machine that never ends": lambda: page(
        before="<!-- BEGIN WAYBACK TOOLBAR INSERT -->" + '<a href="/web/20260107080000/https://a.example/">x</a>' * MANY
    ),
    "addresses through the Wayback Machine that lead nowhere": lambda: with_story(
        "<!-- FILE ARCHIVED ON , INTERNET ARCHIVE ON -->"
        + "<p>https://web.archive.org/web/2026" * MANY
        + "/web/" * LONG
    ),
    "a tag that never ends": lambda: with_story(f"<p {'a=b ' * MILLION}"),
    "a canonical address of 1 MB": lambda: page(
        head=f'<link rel="canonical" href="http://a.example/{"x/" * 500_000}">'
    ),
}
"""One piece longer than any honest page has."""

LINKED_DATA: dict[str, Callable[[], bytes]] = {
    "JSON-LD nested a hundred thousand lists deep": lambda: json_ld("[" * 100_000 + "]" * 100_000),
    "JSON-LD nested a hundred thousand objects deep": lambda: json_ld('{"@graph":' * 100_000 + "1" + "}" * 100_000),
    "JSON-LD nested a thousand objects deep": lambda: json_ld('{"@graph":' * 900 + "1" + "}" * 900),
    "JSON-LD of five thousand items": lambda: json_ld("[" + ",".join('{"@type":"Thing"}' for _ in range(MANY)) + "]"),
    "JSON-LD with five thousand authors": lambda: json_ld(
        json.dumps({"@type": "NewsArticle", "headline": TITLE, "author": [f"Jane Doe {n}" for n in range(MANY)]})
    ),
    "JSON-LD with five thousand authors by reference": lambda: json_ld(
        json.dumps({"@type": "NewsArticle", "headline": TITLE, "author": [{"@id": f"#{n}"} for n in range(MANY)]})
    ),
    "JSON-LD with five thousand keywords": lambda: json_ld(
        json.dumps({"@type": "NewsArticle", "headline": TITLE, "keywords": [f"boat {n}" for n in range(MANY)]})
    ),
    "JSON-LD of numbers where text belongs": lambda: json_ld(
        json.dumps(
            {
                "@type": ["NewsArticle", 7, None, {}], "headline": 7, "datePublished": {"@value": []}, "author": [[["x"]], 7, None],
                "publisher": [], "image": [[]], "keywords": [[], {}, 7], "articleSection": {}, "isAccessibleForFree": [], "@graph": 7,
            }
        )
    ),
    "JSON-LD with a number of a million digits": lambda: json_ld('{"@type":"NewsArticle","headline":' + "9" * MILLION + "}"),
    "JSON-LD with lone surrogates": lambda: json_ld(
        '{"@type":"NewsArticle","headline":"Ferry \\ud800 sails \\udfff","author":"Jane \\udc00 Doe","keywords":["a\\ud83d"]}'
    ),
    "JSON-LD with NUL": lambda: json_ld('{"@type":"NewsArticle","headline":"Ferry \\u0000 sails","author":"\\u0000"}'),
}  # fmt: skip
"""Machine-readable claims that no reader expects."""

ENTITIES: dict[str, Callable[[], bytes]] = {
    "a billion laughs": lambda: page(before="<p>&a12;</p>", start=BILLION_LAUGHS),
    "an external entity": lambda: page(before="<p>&x;</p>", start=EXTERNAL_ENTITY),
    "character references outside of Unicode": lambda: with_story(
        "<p>&#0;&#xD800;&#x110000;&#99999999999;&#x1F6A2;&nosuch;</p>"
    ),
    "two hundred thousand character references": lambda: with_story(f"<p>{'&eacute;' * 200_000}</p>"),
    "surrogates as references everywhere": lambda: page(
        title="Ferry &#xD800; sails", head='<meta name="author" content="Jane &#xDFFF; Doe">', before="<p>&#xD83D;</p>"
    ),
}
"""What references to characters and entities can do."""

RUN = 100_000
"""Characters in a run: enough for the quadratic to take a minute, few enough for a hundred runs."""

_RUNS = {
    "less-than": "<", "ampersand": "&", "quote": '"', "apostrophe": "'", "space": " ", "dash": "-", "dot": ".", "digit": "1",
    "bracket": "(", "square bracket": "[", "brace": "{", "closing bracket": ")", "no-break space": "\N{NO-BREAK SPACE}",
    "en dash": "–", "slash": "/", "backslash": "\\", "colon": ":", "comma": ",", "hash": "#", "at": "@", "bar": "|", "underscore": "_",
    "tab": "\t", "newline": "\n", "soft hyphen": "\N{SOFT HYPHEN}", "joiner": "\N{ZERO WIDTH JOINER}", "accent": "\N{COMBINING ACUTE ACCENT}",
    "letter with accent": "é", "damaged letter": "Ã©", "damaged Cyrillic": "Ïðèâåò ", "right-to-left": "\N{RIGHT-TO-LEFT OVERRIDE}",
    "replacement": "\N{REPLACEMENT CHARACTER}", "emoji": "🚢", "Thai": "ก", "word": "ab ", "capital words": "Ab ", "numbers": "12 ", "date": "1.1.2026 ",
    "clock": "12:30 ", "by": "By ", "address": "http://", "www": "www.", "mail": "a@b.", "dashes between words": "a - ", "bullet": "• ",
    "line of one letter": "a\n", "initials": "A. ", "commas between words": "Ab Cd, ", "comment start": "<!--", "bracketed": "(a) ",
    "Chinese date": "2026年", "Arabic digit": "٣", "superscript": "²",
}  # fmt: skip
"""What is repeated to a hundred thousand characters, where a careless regular expression would take for ever."""


def run_of(piece: str, *, size: int = RUN) -> str:
    """Repeat a piece to a hundred thousand characters."""
    return piece * (size // len(piece))


def _in_page(piece: str) -> bytes:
    return with_story(f"<p>{run_of(piece)}</p>")


def _in_text(piece: str) -> bytes:
    return f"{text_dump()}\n\n{run_of(piece)}".encode()


#: Names of meta elements that dates, people, languages and addresses are read from.
_CLAIMS = "author date og:title keywords og:url og:locale description og:site_name og:image lastmod".split()


def _in_claims(piece: str) -> bytes:
    # Just below the length from which a claim is not believed.
    value = run_of(piece, size=4_990).replace('"', "&quot;")
    head = "".join(f'<meta name="{name}" content="{value}">' for name in _CLAIMS)
    return page(title=run_of(piece, size=5_000).replace("<", "&lt;"), head=head)


RUNS: dict[str, Callable[[], bytes]] = {
    **{f"a run of {name} in a page": partial(_in_page, piece) for name, piece in _RUNS.items()},
    **{f"a run of {name} in text": partial(_in_text, piece) for name, piece in _RUNS.items()},
    **{f"claims of 5 KB of {name}": partial(_in_claims, piece) for name, piece in _RUNS.items()},
}

PAGES: dict[str, Callable[[], bytes]] = {
    **NESTING, **BREADTH, **LENGTH, **LINKED_DATA, **ENTITIES, **RUNS,
}  # fmt: skip
"""Every hostile page by its name, which says what is wrong with it."""


def gzip_bomb(page: bytes, *, size: int = 1_000_000_000) -> bytes:
    """A packed page that goes on in blanks: a megabyte that unpacks to a gigabyte."""
    # Members of one gzip file follow one another, so that the gigabyte need not be packed as a whole.
    blanks = gzip.compress(b" " * 20_000_000, mtime=0)
    return gzip.compress(page, mtime=0) + blanks * (size // 20_000_000)


def warc(records: Sequence[tuple[str, bytes]], *, encoding: str = "") -> list[bytes]:
    """Responses as WARC records, each a gzip member of its own; to be joined, or damaged and joined."""
    members = []
    for url, body in records:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{f'Content-Encoding: {encoding}' if encoding else 'X: y'}\r\n\r\n"
        block = head.encode() + body
        start = (
            f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{zlib.crc32(url.encode()):08x}>\r\n"
            f"WARC-Target-URI: {url}\r\nWARC-Date: 2026-01-07T08:00:00Z\r\n"
            f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(block)}\r\n\r\n"
        )
        members.append(gzip.compress(start.encode() + block + b"\r\n\r\n", mtime=0))
    return members
