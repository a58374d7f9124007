"""How much one document may ask of us."""

from dataclasses import dataclass

from schemas.errors import SourceError

#: Below this many bytes a ratio says nothing: a page of blanks is small and packs very well.
RATIO_COUNTS_FROM = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds that keep a hostile input from eating the machine."""

    #: One document, in bytes after content encodings are undone. The largest honest news pages
    #: (live blogs of several days) stay under 10 MB.
    max_bytes: int = 20_000_000
    #: Unpacked bytes per packed byte, looked at once more than 1 MB came out. Markup seldom goes
    #: over 30; deflate can reach 1032 and brotli far more, but only with nothing to read inside.
    max_ratio: int = 200

    def check_size(self, size: int, *, at_least: bool = False) -> None:
        """Refuse a document of ``size`` bytes when that is too many.

        Args:
            size: Bytes of the document, or as many as were seen of it.
            at_least: Whether more may follow that nobody has counted.

        Raises:
            SourceError: With reason ``too_large`` and both numbers.

        """
        if size > self.max_bytes:
            seen = f"at least {size}" if at_least else f"{size}"
            raise SourceError(reason="too_large", detail=f"{seen} bytes > {self.max_bytes} bytes allowed")

    def check_ratio(self, *, unpacked: int, packed: int) -> None:
        """Refuse data that grows out of proportion when unpacked.

        Args:
            unpacked: Bytes that came out so far.
            packed: Bytes that went in for them.

        Raises:
            SourceError: With reason ``bomb`` and all three numbers.

        """
        if unpacked > RATIO_COUNTS_FROM and unpacked > packed * self.max_ratio:
            raise SourceError(
                reason="bomb",
                detail=f"{packed} bytes unpack to at least {unpacked}: more than {self.max_ratio} times as many",
            )
