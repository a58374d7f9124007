"""Which rules the pages of an input have: those of its source, or else those for the host of a page."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ingest.ftr_rules import FtrFolder
from schemas.site_rule import SiteRule, digest


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBook:
    """The rules that count for one input."""

    #: Of the source that the input belongs to.
    own: tuple[SiteRule, ...] = ()
    #: Of all sources of the catalogue, by domain: an archive holds pages of many sites.
    by_domain: Mapping[str, tuple[SiteRule, ...]] = field(default_factory=dict)
    ftr: FtrFolder | None = None

    def rules_for(self, url: str | None) -> tuple[SiteRule, ...]:
        """Give the rules for a page: those of its source, of its domain in the catalogue, or of the folder."""
        if self.own:
            return self.own
        try:
            host = (urlsplit(url or "").hostname or "").removeprefix("www.")
        except ValueError:
            return ()
        if host in self.by_domain:
            return self.by_domain[host]
        rule = self.ftr.rule_for(host) if self.ftr and host else None
        return (rule,) if rule else ()

    @property
    def sha256(self) -> str:
        """Name the rules: others may give other records."""
        ftr = (
            [rule for part in (self.ftr.sites, self.ftr.below) for _, rule in sorted(part.items())] if self.ftr else []
        )
        hosts = [*self.ftr.sites, "", *self.ftr.below] if self.ftr else []
        parts = [
            digest(self.own),
            *(f"{domain} {digest(rules)}" for domain, rules in sorted(self.by_domain.items())),
            *sorted(hosts),
            digest(ftr),
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def digest_of_books(books: Iterable[RuleBook | None]) -> str:
    """Name all rules of a run; "" where there are none."""
    # The thousands of files of one source have one book between them, and a book may hold a folder of thousands of sites.
    distinct = {id(book): book for book in books if book}
    found = sorted({book.sha256 for book in distinct.values()})
    return hashlib.sha256("\n".join(found).encode()).hexdigest() if found else ""


def faults_of_books(books: Iterable[RuleBook | None]) -> list[str]:
    """Say how many lines of each folder cannot be used, with the first of them."""
    folders = {id(book.ftr): book.ftr for book in books if book and book.ftr and book.ftr.faults}
    return [
        f"site rules: {len(folder.faults)} lines cannot be used and are passed over, such as {folder.faults[0]}"
        for folder in folders.values()
    ]
