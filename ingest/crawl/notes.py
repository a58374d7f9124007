"""What a crawl keeps of its requests: responses in the raw store, a row for each, and what becomes of the articles."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from time import monotonic
from typing import Final, Literal

from ingest.crawl import optout
from ingest.crawl.download import Answer
from ingest.crawl.job import Job
from ingest.crawl.raw_store import Exchange, Kept, RawStore
from ingest.crawl.state import Copy, Crawl, State
from ingest.sources.about import About
from ingest.sources.about import Kind as AboutKind
from schemas.fetch import FetchOutcome

NOT_MODIFIED: Final = 304

#: How often what was noted becomes lasting, in seconds: what a power cut can take is asked for again.
COMMIT_EVERY: Final = 1.0

#: How long after it was found an article is asked for once more, by how often it was tried in vain; after the last time it is given up.
#: Two nights and the next, or a day where there is a crawl every quarter of an hour: a site may be down for long.
AGAIN_AFTER: Final = (timedelta(), timedelta(hours=6), timedelta(hours=23))


class Notes:
    """The notes of one crawl."""

    def __init__(
        self, state: State, crawl: Crawl, *, pages: RawStore, other: RawStore, now: Callable[[], datetime]
    ) -> None:
        """Begin.

        Args:
            state: Takes rows and articles.
            crawl: This one.
            pages: Takes the responses that a run reads.
            other: Takes all other responses.
            now: The time, aware, UTC.
        """
        #: "kind/outcome" -> count, and "outcome/reason" -> count of what was not had.
        self.counts: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        #: Length of all bodies as sent.
        self.bytes = 0
        self._state = state
        self._crawl = crawl
        self._pages = pages
        self._other = other
        self._now = now
        self._committed_at = monotonic()

    def commit(self) -> None:
        """Make lasting what was noted: first the responses, then what is known of them."""
        self._pages.sync()
        self._other.sync()
        self._state.commit()
        self._committed_at = monotonic()

    def commit_if_due(self) -> None:
        """The same, now and then."""
        if monotonic() - self._committed_at > COMMIT_EVERY:
            self.commit()

    def keep_page(self, job: Job, answer: Answer, *, signals: Sequence[optout.Signal]) -> Kept:
        """Keep a response that a run reads."""
        return self._pages.write(self._exchange(job, answer, signals=signals))

    def keep_text(self, job: Job, html: bytes, at: datetime, *, signals: Sequence[optout.Signal] = ()) -> Kept:
        """Keep a page that did not come over the wire as it is: drawn by a browser, or the full text of a feed's entry."""
        return self._pages.write_text(job.url, html, at, self._about(job, signals=signals))

    def keep(self, job: Job, answer: Answer, *, same_as: Copy | None = None) -> Kept:
        """Keep a response that no run reads; of a body that is kept already, to the byte, only the word that it is the same."""
        exchange = self._exchange(job, answer)
        is_kept = same_as and hashlib.sha256(answer.body).hexdigest() == same_as.kept.payload_sha256
        if same_as is None or (answer.status != NOT_MODIFIED and not is_kept):
            return self._other.write(exchange)
        return self._other.write_revisit(exchange, same_as.kept, same_as.url, same_as.at)

    def note(
        self,
        job: Job,
        outcome: FetchOutcome,
        *,
        reason: str | None = None,
        detail: str | None = None,
        answer: Answer | None = None,
        kept: Kept | None = None,
        signals: Sequence[optout.Signal] = (),
        redirect_to: str | None = None,
    ) -> None:
        """Add a row to the table of fetches."""
        self.counts[f"{job.kind}/{outcome}"] += 1
        if reason is not None:
            self.reasons[f"{outcome}/{reason}"] += 1
        entry = job.article.entry if job.article else None
        is_shared = job.kind in {"robots", "policy"}
        self._state.add_fetch(
            {
                "crawl_id": self._crawl.id,
                "crawl_date": self._crawl.date,
                "source_id": None if is_shared else job.source.id,
                "url": job.url,
                "kind": job.kind,
                "outcome": outcome,
                "reason": reason,
                "detail": detail,
                "http_status": answer.status if answer else None,
                "requested_at": answer.at - timedelta(seconds=answer.seconds) if answer else self._now(),
                "seconds": answer.seconds if answer else None,
                "bytes": len(answer.body) if answer else None,
                "ip": answer.ip if answer else None,
                "tries": job.tries if answer or outcome == "failed" else None,
                "via": job.via,
                "redirect_to": redirect_to,
                "found_in": job.found_in,
                "guid": entry.guid if entry else None,
                "title": entry.title if entry else None,
                "published": entry.published if entry else None,
                "signals": [signal.text for signal in signals] or None,
                "payload_sha256": kept.payload_sha256 if kept else None,
                "warc_file": kept.file if kept else None,
                "warc_offset": kept.offset if kept else None,
                "warc_length": kept.length if kept else None,
                "warc_record_id": kept.record_id if kept else None,
            }
        )

    def end(
        self,
        job: Job,
        outcome: FetchOutcome,
        reason: str,
        detail: str | None,
        *,
        answer: Answer | None = None,
        kept: Kept | None = None,
        signals: Sequence[optout.Signal] = (),
    ) -> None:
        """Note what was not had; of an article also whether it is asked for again another night."""
        self.note(job, outcome, reason=reason, detail=detail, answer=answer, kept=kept, signals=signals)
        article = job.article
        if article is None or outcome == "put_off":
            return
        tries = article.tries + (outcome == "failed")
        status: Literal["waiting", "refused", "gone"] = "waiting"
        # What others than the page decide may be decided otherwise tomorrow.
        if outcome == "refused" and reason not in {"robots_unreachable", "private_address"}:
            status = "refused"
        elif outcome == "failed" and (tries >= len(AGAIN_AFTER) or (answer and answer.status in {404, 410})):
            status = "gone"
        self._state.save(replace(article, status=status, reason=reason, tries=tries))

    def _exchange(self, job: Job, answer: Answer, *, signals: Sequence[optout.Signal] = ()) -> Exchange:
        phrase = HTTPStatus(answer.status).phrase if answer.status in set(HTTPStatus) else ""
        return Exchange(
            url=answer.url,
            fetched_at=answer.at,
            ip=answer.ip,
            request=answer.request,
            status=answer.status,
            reason=phrase,
            headers=answer.headers,
            body=answer.body,
            truncated=None,
            about=self._about(job, status=answer.status, signals=signals),
        )

    def _about(self, job: Job, *, status: int = 200, signals: Sequence[optout.Signal] = ()) -> About:
        entry = job.article.entry if job.article else None
        kind: AboutKind = "list" if job.kind == "home" else job.kind
        if status >= 300 and status != NOT_MODIFIED:  # noqa: PLR2004
            kind = "error" if status >= 400 else "redirect"  # noqa: PLR2004
        return About(
            kind=kind,
            source_id=job.source.id,
            publisher=job.source.name,
            language=job.source.language or (entry.language if entry else None),
            found_in=job.found_in,
            # Of an article the address that was named: the others lie beside it, redirect by redirect.
            via=job.article.url if job.via and job.article else job.via,
            guid=entry.guid if entry else None,
            title=entry.title if entry else None,
            published=entry.published if entry else None,
            authors=entry.authors if entry else (),
            tags=entry.tags if entry else (),
            signals=tuple(signal.text for signal in signals),
        )
