"""What pages say around a story, in many languages: the expression that finds it in a text."""

import re
import tomllib
from pathlib import Path

import polars as pl


def boilerplate() -> pl.Expr:
    """Give the expression over ``text`` that is true where a phrase of ``phrases.toml`` stands in it.

    One regular expression, linear in the length of the text: polars compiles it once and keeps it. An automaton
    (``contains_any``) it builds anew for every part file, and that takes longer than the search.
    """
    tables = tomllib.loads(Path(__file__).with_name("phrases.toml").read_text("utf-8")).values()
    lines, starts = (_one_of({word for table in tables for word in table[key]}) for key in ("lines", "starts"))
    # Any line of the text, the first and the last too, has a break at both ends then.
    text = pl.concat_str(pl.lit("\n"), pl.col("text"), pl.lit("\n"))
    return text.str.contains(rf"(?i)\n(?:{lines})(?: ?»|[:.…])?\n|(?:\n|[.!] )(?:{starts})")


def _one_of(phrases: set[str]) -> str:
    """Write a choice of phrases; with capitals beside, as the regular expression knows nothing of the Turkish i."""
    forms = {form for phrase in phrases for form in (phrase, phrase.upper())}
    # Only what Rust reads as a sign.
    return "|".join(re.sub(r"([.+*?()|\[\]{}^$\\])", r"\\\1", form) for form in sorted(forms))
