"""Make ``normalize/data/months.toml`` and ``normalize/data/ago.toml`` from CLDR, as Babel ships it.

    PYTHONPATH=. python tests/make_months.py

Babel 2.18 carries CLDR 47. Only developers need it; babelwire reads the files that come out.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from babel import Locale
from babel.core import get_cldr_version

from normalize.dates import spell, spell_ago

DATA = Path(__file__).parent.parent / "normalize" / "data"

#: One or more locales per language tag; a tag of ours is the key of a row in the data.
TAGS = """
en de fr es it pt nl el ru uk be bg mk sr sr-Latn hr bs pl cs sk sl ro hu tr sv da nb nn fi et lv
lt ar he fa ur hi bn mr ta te kn ml gu pa th vi id ms ko ja zh zh-Hant ka hy sq az kk ky uz tg sw
ca gl eu is ga cy mt af am so ne si km lo my mn ps
"""
LOCALES: dict[str, tuple[str, ...]] = {
    **{tag: (tag.replace("-", "_"),) for tag in TAGS.split()},
    "ar": ("ar", "ar_SY", "ar_LB", "ar_IQ", "ar_MA", "ar_DZ", "ar_TN", "ar_EG", "ar_SA"),
    "en": ("en", "en_GB", "en_CA", "en_AU"),
    "de": ("de", "de_AT", "de_CH"),
    "es": ("es", "es_MX", "es_AR", "es_PE"),
    "pt": ("pt", "pt_PT"),
    "fr": ("fr", "fr_CA", "fr_CH"),
    "ur": ("ur", "ur_IN"),
    "fa": ("fa", "fa_AF"),
}

#: Native speakers, roughly, in millions (Ethnologue, 27th edition, 2024): they settle which month
#: a name is when languages differ and the caller says nothing.
SPEAKERS = {"pl": 40, "uk": 33, "cs": 11, "sr": 9, "sr-Latn": 9, "hr": 5, "be": 4, "bs": 3, "mk": 2}

#: Words that spell half a day in one language and are all over the dates of another.
NOT_PERIODS = {"de", "du", "r", "no", "este", "noc", "na", "v n", "to", "tr", "y bore", "form"}
#: Particles that CLDR writes before month names ("de gener", "d'abril").
PARTICLES = {"de", "d"}

UNITS = ("second", "minute", "hour", "day", "week", "month", "year")


def forms(locale: Locale, part: str, widths: Iterable[str]) -> dict[int, list[str]]:
    """Give all forms of the months or weekdays of a locale, by their number in CLDR."""
    found: dict[int, list[str]] = defaultdict(list)
    for context in ("format", "stand-alone"):
        for width in widths:
            names: Mapping[int, str] = getattr(locale, part).get(context, {}).get(width, {})
            for number, name in names.items():
                found[number].append(name)
    return found


def attached(locale: Locale) -> set[tuple[str, str]]:
    """Give what date patterns glue to a month: before it (Hebrew) and behind it (Basque)."""
    found = {("", "")}
    for pattern in patterns(locale):
        for before, after in re.findall(r"([^\W\d_yMdEG]*)'?M{3,4}'?([^\W\d_yMdEG]*)", pattern):
            found.add((before.strip("'"), after.strip("'")))
    return found


def patterns(locale: Locale) -> list[str]:
    """Give the patterns of full, long and medium dates, and of some skeletons."""
    skeletons = locale.datetime_skeletons
    wanted = [key for key in map(str, skeletons) if "MMM" in key and "d" in key]
    return [str(locale.date_formats[width].pattern) for width in ("full", "long", "medium")] + [
        str(skeletons[key].pattern) for key in wanted
    ]


def words(locale: Locale) -> set[str]:
    """Give the words that stand in date and time patterns ("de", "г.", "kl.")."""
    found: set[str] = set()
    texts = patterns(locale)
    texts += [str(pattern) for pattern in locale.datetime_formats.values()]
    for text in texts:
        for quoted in re.findall(r"'([^']+)'", text):
            found.add(spell(quoted))
        bare = re.sub(r"'[^']*'|\{\d\}", " ", text)
        found.update(spell(word) for word in re.findall(r"[^\x00-\x7f\W]+", bare))
    return {word for word in found if word and not re.search(r"[\d一-鿿가-힣]", word)}


def row(columns: Iterable[Iterable[str]]) -> str:
    """Write the columns of one language: folded, each name once."""
    cells = []
    for column in columns:
        names = {folded: None for name in column if (folded := spell(name))}
        usable = [name for name in names if not re.search(r"\d|[一-鿿]", name)]
        cells.append(";".join(usable))
    return "|".join(cells)


def months(locales: Iterable[Locale]) -> list[list[str]]:
    """Give the names of the twelve months, inflected and with what patterns glue to them."""
    columns: list[list[str]] = [[] for _ in range(12)]
    for locale in locales:
        glue = attached(locale)
        for number, names in forms(locale, "months", ("wide", "abbreviated")).items():
            for name in names:
                bare = spell(name).split(" ")
                while len(bare) > 1 and bare[0] in PARTICLES:
                    bare = bare[1:]
                columns[number - 1] += [before + " ".join(bare) + after for before, after in sorted(glue)]
    return columns


def weekdays(locales: Iterable[Locale]) -> list[list[str]]:
    """Give the names of the weekdays, Monday first as in CLDR's numbers of Babel."""
    columns: list[list[str]] = [[] for _ in range(7)]
    for locale in locales:
        for number, names in forms(locale, "days", ("wide", "abbreviated", "short")).items():
            columns[number] += names
    return columns


def periods(locales: Iterable[Locale]) -> dict[str, set[str]]:
    """Give the halves and parts of the day, by how they change an hour."""
    kinds = {"am": "am", "morning": "am", "pm": "day", "afternoon": "day", "evening": "day"}
    kinds |= {"night": "night", "noon": "noon"}
    found: dict[str, set[str]] = defaultdict(set)
    for locale in locales:
        for widths in locale.day_periods.values():
            for width, names in widths.items():
                for key, name in names.items():
                    kind = kinds.get(str(key).rstrip("12"))
                    folded = spell(name)
                    if kind and width != "narrow" and folded and folded not in NOT_PERIODS:
                        found[kind].add(folded)
    return found


def ago(locales: Iterable[Locale], unit: str) -> dict[str, None]:
    """Give the phrases for a number of units in the past; "=2" where no number is written."""
    found: dict[str, None] = {}
    for locale in locales:
        fields: Any = locale._data["date_fields"]
        for width in ("", "-short", "-narrow"):
            for count, phrase in fields.get(unit + width, {}).get("past", {}).items():
                if "{0}" in phrase:
                    found[spell_ago(phrase.replace("{0}", "#"))] = None
                elif count in {"one", "two"}:
                    found[f"{spell(phrase)}={1 if count == 'one' else 2}"] = None
    return found


def header(what: str) -> list[str]:
    """Write where the data comes from and how to make it anew."""
    return [
        f"# {what}",
        f"# From the Unicode CLDR, version {get_cldr_version()}, through Babel. Copyright Unicode,",
        "# Inc.; Unicode License v3 (https://www.unicode.org/license.txt). Folded by",
        "# normalize.dates.spell. (Literal strings, since tomllib reads those four times as fast.)",
        "# Do not edit; made by: PYTHONPATH=. python tests/make_months.py",
        "",
    ]


def quoted(key: str) -> str:
    """Write a TOML key."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else f'"{key}"'


def month_lines() -> list[str]:
    """Write ``months.toml``."""
    loaded = {tag: [Locale.parse(name) for name in names] for tag, names in LOCALES.items()}
    rows = {tag: row(months(locales)) for tag, locales in loaded.items()}
    lines = header("Months (January first), weekdays (Monday first) and other words of dates.")
    lines += ["[months]", *row_lines(rows), "", "[weekdays]"]
    lines += row_lines({tag: row(weekdays(locales)) for tag, locales in loaded.items()})
    lines += ["", "[periods]"]
    everyone = [locale for locales in loaded.values() for locale in locales]
    taken: set[str] = set()
    for kind, found in sorted(periods(everyone).items()):
        lines.append(f"{kind} = '{';'.join(sorted(found - taken))}'")
        taken |= found
    by_name: dict[str, dict[str, int]] = defaultdict(dict)
    for tag, text in rows.items():
        for number, cell in enumerate(text.split("|"), 1):
            for name in filter(None, cell.split(";")):
                by_name[name].setdefault(tag, number)
    others: set[str] = set()
    others = others.union(*(words(locale) for locale in everyone)) - set(by_name)
    lines += ["", "[words]", f"all = '{';'.join(sorted(others))}'", *clash_lines(by_name)]
    return lines


def row_lines(rows: Mapping[str, str]) -> list[str]:
    """Write the rows that hold anything."""
    return [f"{tag} = '{text}'" for tag, text in rows.items() if text.strip("|")]


def clash_lines(by_name: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Write the names that are another month in another language."""
    clashes = {name: tags for name, tags in by_name.items() if len(set(tags.values())) > 1}
    lines = ["", "# Names that are not the same month everywhere, as most native speakers read"]
    lines += ["# them (see SPEAKERS in the recipe), and then by language.", "[default]"]
    for name, tags in sorted(clashes.items()):
        weight: dict[int, int] = defaultdict(int)
        for tag, number in tags.items():
            weight[number] += SPEAKERS.get(tag, 1)
        lines.append(f"{quoted(name)} = {max(weight, key=lambda number: weight[number])}")
    lines += ["", "[elsewhere]"]
    for name, tags in sorted(clashes.items()):
        primary = {tag.partition("-")[0]: number for tag, number in sorted(tags.items())}
        body = ", ".join(f"{tag} = {number}" for tag, number in primary.items())
        lines.append(f"{quoted(name)} = {{ {body} }}")
    return lines


def ago_lines() -> list[str]:
    """Write ``ago.toml``."""
    lines = header('Phrases for the past, "#" for the number ("=2": the number is in the word).')
    for unit in UNITS:
        lines.append(f"[{unit}]")
        for tag, names in LOCALES.items():
            phrases = ago([Locale.parse(name) for name in names], unit)
            if phrases:
                lines.append(f"{tag} = '{';'.join(phrases)}'")
        lines.append("")
    return lines


def main() -> None:
    """Write both files."""
    for name, lines in (("months.toml", month_lines()), ("ago.toml", ago_lines())):
        (DATA / name).write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
