"""Addresses of a document, and the identities made from them."""

import hashlib
from urllib.parse import urldefrag, urljoin, urlsplit

import courlan

from schemas.document import Claim, Page, RawDocument


def page_url(page: Page) -> Claim | None:
    """Give the address the page was found under, or else the one it claims."""
    raw = page.decoded.raw
    if raw.url:
        return Claim(field="url", value=raw.url, origin=raw.source_kind, rule="address")
    for claim in page.claimed("canonical"):
        if claim.value.startswith(("http://", "https://")):
            return Claim(field="url", value=claim.value, origin=claim.origin, rule=claim.rule)
    return None


def canonical_url(page: Page, url: str | None) -> Claim | None:
    """Give the one address of the story: as declared on the page's own site, else the address without tracking."""
    for claim in page.claimed("canonical"):
        address = joined(url, claim.value) or ""
        if not address.startswith(("http://", "https://")):
            continue
        # A home page or another site's address here is a mistake of the page's system.
        if url and (domain_of(address) != domain_of(url) or (_is_home(address) and not _is_home(url))):
            continue
        return Claim(field="url_canonical", value=address, origin=claim.origin, rule=claim.rule)
    # Only with a host: courlan raises on what no parser takes. A fragment names a part of the page.
    web = url if url and url.startswith("http") and domain_of(url) else None
    cleaned = courlan.normalize_url(urldefrag(web).url, strict=False) if web else None
    return Claim(field="url_canonical", value=cleaned, origin="url", rule="courlan") if cleaned else None


def joined(base: str | None, address: str) -> str | None:
    """Make an address absolute as far as the base goes; None for what no parser takes.

    >>> joined("https://example.org/a/b", "../c"), joined(None, "http://[host]/")
    ('https://example.org/c', None)
    """
    try:
        whole = urljoin(base or "", address)
        urlsplit(whole)  # urljoin does not look at it where there is no base
    except ValueError:
        return None
    return whole


def address_key(url: str) -> str:
    """Give what is the same for all addresses of one article: no fragment, no tracking, no scheme.

    >>> address_key("https://example.org/a?id=7&utm_source=feed#top"), address_key("http://example.org/a?id=7")
    ('example.org/a?id=7', 'example.org/a?id=7')
    """
    plain = urldefrag(url).url
    cleaned = (courlan.normalize_url(plain, strict=False) if domain_of(url) else None) or plain
    return cleaned.partition("://")[2] or cleaned


def _is_home(url: str) -> bool:
    return urlsplit(url).path in {"", "/"}


def domain_of(url: str | None) -> str | None:
    """Give the host without "www." and port, lower case; None for what has no host.

    >>> domain_of("https://www.Example.org:8443/a")
    'example.org'
    """
    try:
        host = urlsplit(url or "").hostname
    except ValueError:
        return None
    return host.removeprefix("www.") if host else None


def record_id(raw: RawDocument, raw_sha256: str) -> str:
    """Name a record by what it is made of: the same bytes from the same place have the same name in every run.

    32 hexadecimal digits of SHA-256 over the WARC record's own id, or else over address, file, member and content.
    """
    parts = (raw.warc_record_id,) if raw.warc_record_id else (raw.url, raw.source_uri, raw.source_member)
    return _digest(*parts, raw_sha256)


def story_id(canonical: str | None, record: str) -> str:
    """Name a story: the same over revisions of one address; a document without one is its own story."""
    return _digest(canonical) if canonical else record


def _digest(*parts: str | None) -> str:
    text = "\x1f".join(part or "" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
