"""What pages say around a story, in many languages: the expression that finds it in a text."""

import re
import tomllib
from pathlib import Path

import polars as pl


def boilerplate() -> pl.Expr:
    """Give the expression over ``text`` that is true where a phrase of ``phrases.toml`` stands in it.

    Two regular expressions, linear in the length of the text: polars compiles them once and keeps them, which an automaton
    of its own (``contains_any``) is not, and building that for every 200 records takes longer than the search.
    """
    tables = tomllib.loads(Path(__file__).with_name("phrases.toml").read_text("utf-8")).values()
    # With capitals beside, since the regular expression knows nothing of the Turkish i.
    lines = {form for table in tables for line in table["lines"] for form in (line, line.upper())}
    phrases = {form for table in tables for phrase in table["phrases"] for form in _forms(phrase)}
    # Any line of the text, the first and the last too, has a break at both ends then.
    text = pl.concat_str(pl.lit("\n"), pl.col("text"), pl.lit("\n"))
    in_lines = text.str.contains(rf"(?i)\n(?:{_one_of(lines)})(?: ?»|[:.…])?\n")
    return in_lines | pl.col("text").str.contains(_one_of(phrases))


def _forms(phrase: str) -> set[str]:
    """Give a phrase as it begins within a sentence, at its start, and in capitals."""
    return {phrase, phrase[:1].upper() + phrase[1:], phrase.upper()}


def _one_of(words: set[str]) -> str:
    # Only what both Python and Rust read as a sign.
    return "|".join(re.sub(r"([.+*?()|\[\]{}^$\\])", r"\\\1", word) for word in sorted(words))
