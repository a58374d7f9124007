"""Addresses as feeds, sitemaps and pages write them, made whole."""

import re
from collections.abc import Iterable
from urllib.parse import urldefrag, urlsplit

from normalize.address import domain_of, joined

#: Longer addresses are no article's; servers refuse them too (RFC 9110, 4.1 asks for 8,000 at least).
MAX_CHARS = 8_000

#: Line ends and tabs that a template left in an address; browsers drop them too (URL Standard, 4.4).
_BREAKS = re.compile(r"[\t\r\n]+")

#: What no address holds unescaped.
_BLANK = re.compile(r"[\x00-\x20\x7f\u00a0\u2028\u2029]")

#: Parameters that say where a reader came from, never what is read. Kept short on purpose: "id", "cid" or "ref" name
#: the article on some sites.
_TRACKING = re.compile(
    r"(?:utm_|mtm_|pk_campaign|pk_kwd|at_medium|at_campaign|hsa_)[^=]*"
    r"|fbclid|gclid|gclsrc|dclid|yclid|ysclid|msclkid|twclid|igshid|mc_cid|mc_eid|_ga|_gl|wt_mc|xtor|cmpid|ref_src",
    re.IGNORECASE,
)


def absolute(base: str | None, address: str | None) -> str | None:
    """Make an address absolute, http or https, without fragment; None for what is no such address.

    >>> absolute("https://news.example/feed/", " ../a b#top ")
    'https://news.example/a%20b'
    >>> absolute(None, "https://news.example/x/./../private/..")
    'https://news.example/'
    >>> absolute("https://news.example/", "mailto:desk@news.example"), absolute(None, "/a")
    (None, None)
    """
    written = _BREAKS.sub("", (address or "").strip())
    if not written or len(written) > MAX_CHARS:
        return None
    whole = joined(base, written)
    if whole is None or len(whole) > MAX_CHARS:
        return None
    try:
        # A surrogate has no bytes to be sent as.
        whole.encode()
        parts = urlsplit(whole)
        _ = parts.port  # raises for one that is no number
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname or _BLANK.search(parts.netloc):
        return None
    whole = _without_dots(urldefrag(whole).url)
    # The scheme is taken in lower case by all who compare addresses by their beginning.
    whole = parts.scheme + whole[len(parts.scheme) :]
    return _BLANK.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), whole)


def _without_dots(url: str) -> str:
    """Take "." and ".." out of a path (RFC 3986, 5.2.4): servers do, and what robots.txt forbids must not hide behind them."""
    parts = urlsplit(url)
    if "/." not in parts.path:
        return url
    kept: list[str] = []
    for part in parts.path.split("/"):
        if part == "..":
            kept[1:] = kept[1:-1]
        elif part != ".":
            kept.append(part)
    if parts.path.endswith(("/.", "/..")):
        kept.append("")
    return parts._replace(path="/".join(kept) or "/").geturl()


def sent_on(url: str, location: str) -> str | None:
    r"""Give where a redirect leads; None for what is no address with http or https.

    Args:
        url: What was asked for.
        location: The header, read as Latin-1. Many servers write UTF-8 into it, some other charsets: the bytes are asked for as they came.

    >>> sent_on("https://news.example/1", "/caf\xc3\xa9"), sent_on("https://news.example/1", "/caf\xe9")
    ('https://news.example/café', 'https://news.example/caf%E9')
    """
    raw = location.encode("latin-1", "replace")
    try:
        written = raw.decode()
    except UnicodeDecodeError:
        written = "".join(chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in raw)  # noqa: PLR2004
    return absolute(url, written)


def without_tracking(address: str) -> str:
    """Take away the parameters that say where a reader came from; the others stay as and where they are.

    >>> without_tracking("https://news.example/a?id=7&utm_source=rss&fbclid=x"), without_tracking("https://news.example/?")
    ('https://news.example/a?id=7', 'https://news.example/?')
    """
    bare, mark, query = address.partition("?")
    if not query:
        return address
    kept = [part for part in query.split("&") if not _TRACKING.fullmatch(part.partition("=")[0])]
    return bare + mark + "&".join(kept) if kept else bare


def elsewhere(url: str, said: Iterable[str | None]) -> str | None:
    """Give the first address that is on another host or path than ``url``: where something says it lives now.

    Scheme, "www.", parameters and a final "/" make no other place.

    >>> elsewhere("https://news.example/feed", ["http://www.news.example/feed/", "/rss.xml"])
    'https://news.example/rss.xml'
    """
    for address in said:
        found = absolute(url, address)
        if found and _place(found) != _place(url):
            return found
    return None


def _place(url: str) -> tuple[str | None, str]:
    return domain_of(url), urlsplit(url).path.rstrip("/")
