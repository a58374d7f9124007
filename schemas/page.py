"""What the HTML pages of babelwire share: hostile text made harmless and visible, the palette, and a policy that lets nothing in.

Every string of a document is hostile. It is escaped, and characters that turn the direction of text or cannot be seen are
shown by their number, because a reader who does not see them is the one they were put there for.
"""

import re
from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import Final

#: Characters that are not seen, or that reorder what is: controls, soft hyphen, fillers, zero-width space, directional
#: embeddings, overrides and isolates (UAX #9, 2.1 to 2.4), lone surrogates, two that are no characters, tags. The joiners stay, words are spelt with
#: them, and so do the directional marks, which only place a full stop.
UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u115f\u1160\u180e\u200b\u2028-\u202e\u2060-\u206f\u3164"
    "\ud800-\udfff\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)

#: Colours as CSS variables. Both palettes keep 4.5 to 1 between text and what it stands on.
PALETTE: Final = """:root { color-scheme: light dark; --back: #fbfbf9; --front: #1b1d1f; --soft: #5b6168; --line: #d9dbd6; --card: #fff;
  --kept: #17693a; --kept-back: #edf7f0; --gone: #a3341f; --gone-back: #fbf0ed; --mark: #7a4b00; --mark-back: #ffe9b8; --link: #0b57b0 }
@media (prefers-color-scheme: dark) { :root { --back: #15171a; --front: #e7e8ea; --soft: #a2a9b1; --line: #363b41; --card: #1c1f23;
  --kept: #7fd6a1; --kept-back: #17261d; --gone: #f3a08f; --gone-back: #2b1c19; --mark: #ffd98a; --mark-back: #4a3408; --link: #8ab8ff } }"""

#: The same for paper: black on white, whatever the screen shows.
PAPER: Final = """:root { --back: #fff; --front: #000; --soft: #333; --line: #999; --card: #fff; --kept: #000; --kept-back: #fff; --gone: #000; --gone-back: #fff;
    --mark: #000; --mark-back: #fff; --link: #000 }"""


def policy(style: str) -> str:
    """Give a content security policy that allows one style sheet and nothing else.

    Script and request have no way in even if an escape failed (CSP level 3, 6.7 and 8.3).
    """
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def plain(text: str) -> str:
    r"""Give a text on one line, with what cannot be seen shown by its number.

    >>> plain("a" + chr(0x202E) + "b" + chr(0x1B) + "[2J\nc")
    'a⟨U+202E⟩b⟨U+001B⟩[2J c'
    """
    return " ".join(UNSEEN.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text).split())


def shown(text: str) -> str:
    """Escape a text for HTML, with what cannot be seen shown by its number.

    >>> shown("<b>" + chr(0x202E))
    '&lt;b&gt;<span class="mark">U+202E</span>'
    """
    pieces = []
    end = 0
    for match in UNSEEN.finditer(text):
        pieces += [escape(text[end : match.start()]), f'<span class="mark">U+{ord(match[0]):04X}</span>']
        end = match.end()
    return "".join(pieces) + escape(text[end:])
