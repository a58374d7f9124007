"""What must come through a translation unchanged: addresses, e-mail addresses, #hashtags and @mentions.

The models never saw a placeholder: "XURLX1" comes back bent, doubled or not at all. So nothing is put into a sentence: it
is cut at its entities, the text between is translated by itself, and the entities are put back as they were. That always
keeps them. It costs context: in "Read @ana's report on the ferry" the model sees "Read" and "'s report on the ferry". Where
entities stand at the ends, as in most posts, nothing is lost.
"""

import re
from dataclasses import dataclass
from typing import Final

# Letters of scripts that put no space between words are no part of an address: a sentence goes on there.
_UNSPACED: Final = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
)
_IN_ADDRESS: Final = rf"[^\s<>\"“”«»‘’„{_UNSPACED}]"
# Punctuation behind an address belongs to the sentence; a closing bracket too, unless the address opened one.
_BEHIND_ADDRESS: Final = ".,;:!?'…·،؛؟।)]}>*"
# Letters, digits, and the vowel signs and joiners that Indic scripts, Arabic and Persian spell with.
_IN_TAG: Final = r"[\w\u0300-\u036f\u064b-\u0652\u0900-\u0903\u093a-\u094f\u0981-\u0983\u09bc-\u09cd\u0a01-\u0a4d\u0b82-\u0bcd\u0c00-\u0c4d\u0e31-\u0e4e\u200c\u200d]"

# Every part is bounded or ends where its class of characters does, and each begins with a character of its own, so that
# a search is linear in the text.
_ENTITY: Final = re.compile(
    rf"(?P<address>(?<![A-Za-z0-9_@])(?:https?://|ftp://|www\.(?=\w)){_IN_ADDRESS}+)"
    r"|(?P<mail>(?<![\w.+@-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})"
    rf"|(?P<tag>(?<![\w&#/])#(?!\d+\b){_IN_TAG}{{1,140}}#?)"
    r"|(?P<mention>(?<![\w@/.])@\w[\w.]{0,62}(?<!\.))",
    re.IGNORECASE,
)

_SAYS: Final = re.compile(r"[^\W_]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a sentence, for the translator or to be kept."""

    text: str
    #: An entity with the space around it, or punctuation that says nothing by itself: not to be translated.
    keep: bool


def entities(text: str) -> list[str]:
    """Find the addresses, e-mail addresses, hashtags and mentions of a text, in order, exactly as they stand.

    >>> entities("Mehr auf https://a.example/b_(c), #Hafen #café, @ana_b und redaktion@a.example.")
    ['https://a.example/b_(c)', '#Hafen', '#café', '@ana_b', 'redaktion@a.example']
    >>> entities("#1 of 5, C#, a@b, 5 @ 3")
    []
    """
    return [text[start:end] for start, end in _spans(text)]


def without_entities(text: str) -> str:
    """Leave out what is not language.

    >>> without_entities("Mehr auf www.a.example #zug")
    'Mehr auf  '
    """
    if not any(mark in text for mark in ("@", "#", "://", "www.", "WWW.")):
        return text
    return _ENTITY.sub("", text)


def pieces(sentence: str) -> tuple[Piece, ...]:
    """Cut a sentence at its entities; all pieces joined are the sentence.

    >>> [piece.text for piece in pieces("Το λιμάνι άνοιξε. #limani https://a.example") if not piece.keep]
    ['Το λιμάνι άνοιξε.']
    """
    found: list[Piece] = []
    last = 0
    for start, end in (*_spans(sentence), (len(sentence), len(sentence))):
        between = sentence[last:start]
        inner = between.strip()
        if inner and _SAYS.search(inner):
            at = between.index(inner)
            _add(found, between[:at], keep=True)
            _add(found, inner, keep=False)
            _add(found, between[at + len(inner) :], keep=True)
        else:
            _add(found, between, keep=True)
        _add(found, sentence[start:end], keep=True)
        last = end
    return tuple(found)


def _add(found: list[Piece], text: str, *, keep: bool) -> None:
    """Add a piece; kept ones that touch become one."""
    if text and keep and found and found[-1].keep:
        found[-1] = Piece(found[-1].text + text, keep=True)
    elif text:
        found.append(Piece(text, keep=keep))


def _spans(text: str) -> list[tuple[int, int]]:
    spans = []
    for match in _ENTITY.finditer(text):
        end = match.end()
        if match["address"]:
            end = match.start() + len(_trimmed(match[0]))
        if match["tag"] and not _SAYS.search(match[0]):
            continue
        spans.append((match.start(), end))
    return spans


def _trimmed(address: str) -> str:
    """Leave the sentence its punctuation, and the address its own brackets."""
    end = len(address)
    opened = address.count("(")
    closed = address.count(")")
    while end and address[end - 1] in _BEHIND_ADDRESS:
        if address[end - 1] == ")":
            if closed <= opened:
                break
            closed -= 1
        end -= 1
    return address[:end]
