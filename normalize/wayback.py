"""Pages as web.archive.org shows them: its toolbar taken out, and addresses that lead through it put back."""

import re
from collections import Counter

_BEGIN, _END = "<!-- BEGIN WAYBACK TOOLBAR INSERT -->", "<!-- END WAYBACK TOOLBAR INSERT -->"
_ARCHIVED, _RETRIEVED = "FILE ARCHIVED ON ", "INTERNET ARCHIVE ON "

#: An address through the archive: host (left out in most), time, what it is used for ("im_"), and the address itself behind
#: it. In scripts and JSON-LD the strokes have backslashes before them.
_REWRITTEN = re.compile(
    r"(?:(?:https?:)?(?:\\?/){2}web\.archive\.org)?\\?/web\\?/(\d{14})(?:[a-z]{2}_)?\\?/(?=https?:\\?/|\\?/\\?/)"
)


def restore(text: str) -> tuple[str, tuple[str, ...]]:
    """Give a page as it was before the Wayback Machine showed it, and what was done how often.

    Any other page comes back as it is. Only addresses with the time of the page itself are put back: a link that the
    author set into the archive has another one.

    >>> restore("<a href=/web/20260107080000/https://a.example/>A</a><!-- BEGIN WAYBACK TOOLBAR INSERT -->"
    ...         "<p>412 captures</p><!-- END WAYBACK TOOLBAR INSERT -->")
    ('<a href=https://a.example/>A</a>', ('wayback_toolbar x 1', 'wayback_links x 1'))
    """
    if _BEGIN not in text and not (_ARCHIVED in text and _RETRIEVED in text):
        return text, ()
    notes: list[str] = []
    begin = text.find(_BEGIN)
    end = text.find(_END, begin) if begin >= 0 else -1
    if end >= 0:
        text = text[:begin] + text[end + len(_END) :]
        notes.append("wayback_toolbar x 1")
    times = Counter(found[1] for found in _REWRITTEN.finditer(text))
    if times:
        ((own, count),) = times.most_common(1)
        text = _REWRITTEN.sub(lambda found: "" if found[1] == own else found[0], text)
        notes.append(f"wayback_links x {count}")
    return text, tuple(notes)
