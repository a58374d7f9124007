"""A night's tables and the rules -> what is not as it should be.

All rules that flag rows are one lazy pass over the articles and one over the quarantine, streamed: each becomes two columns
of true and false, which are counted by source, language and site. Whatever a finding is about is a sum of these counts. Few
rules are of another measure, and need a pass of their own or none:

    night     whether there is anything at all
    names     how often a record_id stands in one run
    blocks    the blocks that stand in many articles of one site, in a sample of each

The measure ``files`` looks outside and is left to the caller.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import polars as pl

from schemas.quality.finding import Finding, Level, Tables
from schemas.quality.rules import GROUPS, Group, Rule

#: A share of one or two flagged rows says nothing, where any share passes at all.
_FEWEST: Final = 3
#: Articles of a site that are searched for blocks they share, and of all sites together.
_OF_A_SITE: Final = 200
_OF_ALL_SITES: Final = 100_000
#: Shorter blocks, in characters, are headings that stories share.
_SHORTEST_BLOCK: Final = 30
#: In so many steps a share is drawn.
_DRAWS: Final = 1_000_003
#: Characters of a block that are shown.
_SHOWN: Final = 80

_BLANK_LINE: Final = "\n\n"
_EVERYTHING: Final = "all"

# Listings share their teasers, and duplicates everything.
_SEARCHABLE: Final = pl.col("page_type").eq("article") & pl.col("dup_of").is_null() & pl.col("domain").is_not_null()


def check(tables: Tables, rules: Sequence[Rule]) -> tuple[Finding, ...]:
    """Hold a night to its rules.

    Args:
        tables: What the night wrote, and nothing else.
        rules: As ``schemas.quality.rules`` gives them.

    Returns:
        The findings, worst first.
    """
    of_articles = _measuring(rules, "rows", "articles")
    counted = _counted(tables.articles, of_articles, by_site=any(rule.measure == "blocks" for rule in rules))
    found = [
        *_in_articles(counted, of_articles),
        *_in_quarantine(tables.quarantine, counted, _measuring(rules, "rows", "quarantine")),
    ]
    for rule in rules:
        if rule.measure == "night":
            found += _night(counted, rule)
        if rule.measure == "names":
            found += _names(tables.articles, rule)
        if rule.measure == "blocks":
            found += _blocks(tables.articles, counted, rule)
    return worst_first(found)


def worst_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Order findings: fail before warn, then by how far the bound was passed, then by how many records that is."""
    return tuple(
        sorted(
            findings,
            key=lambda each: (each.level != "fail", each.threshold - each.value, -each.count, each.rule, each.sentence),
        )
    )


def judged(
    rule: Rule,
    group: Group,
    *,
    key: str | None,
    count: int,
    of: int,
    what: str,
    examples: Sequence[str] = (),
    more: str = "",
) -> Finding | None:
    """Hold one group's count to the bounds of a rule.

    Args:
        rule: The rule.
        group: Which of its bounds count.
        key: The source, language or site; None for all.
        count: Rows that are flagged.
        of: Rows that were asked about.
        what: What a row is, in the plural.
        examples: Ids of flagged records.
        more: What else is to be said.

    Returns:
        What is not as it should be; None where all is.
    """
    share = count / of if of else 0.0
    passed: list[tuple[Level, float]] = [
        (level, bounds[group])
        for level, bounds in _levels(rule)
        if group in bounds and share > bounds[group] and count >= (_FEWEST if bounds[group] else 1)
    ]
    if not passed or of < rule.least:
        return None
    level, bound = passed[0]
    where = "" if key is None else f"language {key}: " if group == "lang" else f"{key}: "
    allowed = f"more than {bound:.1%}" if bound else "none is allowed"
    return Finding(
        rule=rule.name,
        level=level,
        source_id=key if group == "source_id" else None,
        lang=key if group == "lang" else None,
        domain=key if group == "domain" else None,
        column=rule.column,
        count=count,
        of=of,
        value=share,
        threshold=bound,
        sentence=f"{where}{count:,} of {of:,} {what} ({share:.1%}; {allowed}). {rule.meaning}{more}",
        examples=tuple(examples),
    )


def _levels(rule: Rule) -> tuple[tuple[Level, Mapping[Group, float]], ...]:
    """Give the bounds of a rule, those of the worse level first."""
    return (("fail", rule.fail), ("warn", rule.warn))


def _measuring(rules: Sequence[Rule], measure: str, table: str) -> list[Rule]:
    return [rule for rule in rules if rule.measure == measure and rule.table == table]


# ---- rules that flag rows -----------------------------------------------------------------------


def _counted(articles: pl.LazyFrame, rules: Sequence[Rule], *, by_site: bool) -> pl.DataFrame:
    """Count what each rule asks about and flags, for each source, language and, where it is wanted, site.

    The smallest and the largest record_id of the flagged ones come along, as examples that do not hang on the order in which
    threads get on.

    Returns:
        The keys, ``records``, ``searchable`` (articles that are searched for blocks), and for the rule of number N
        ``ofN``, ``flaggedN``, ``firstN`` and ``lastN``.
    """
    # Without a catalogue, the site is the source.
    articles = articles.with_columns(pl.coalesce("source_id", "domain").alias("source_id"))
    wanted = {group for rule in rules for group in rule.groups()} | {"source_id"} | ({"domain"} if by_site else set())
    keys = [group for group in GROUPS if group in wanted and group != _EVERYTHING]
    asked = [rule.asked() for rule in rules]
    flags = [rule.flagged() if of is None else of & rule.flagged() for rule, of in zip(rules, asked, strict=True)]
    named = {f"flagged{number}": flag.fill_null(value=False) for number, flag in enumerate(flags)}
    named |= {f"of{number}": of.fill_null(value=False) for number, of in enumerate(asked) if of is not None}
    named["searchable"] = _SEARCHABLE.fill_null(value=False)
    counts = [pl.len().alias("records"), *(pl.col(name).sum() for name in named)]
    counts += [pl.len().alias(f"of{number}") for number, of in enumerate(asked) if of is None]
    for number in range(len(rules)):
        flagged = pl.when(f"flagged{number}").then("record_id")
        counts += [flagged.min().alias(f"first{number}"), flagged.max().alias(f"last{number}")]
    return articles.select(*keys, "record_id", **named).group_by(keys).agg(counts).collect(engine="streaming")


def _in_articles(counted: pl.DataFrame, rules: Sequence[Rule]) -> Iterator[Finding]:
    for group in dict.fromkeys(group for rule in rules for group in rule.groups()):
        by_key = _summed(counted, group)
        for number, rule in enumerate(rules):
            if group not in rule.groups():
                continue
            columns = ("key", f"of{number}", f"flagged{number}", f"first{number}", f"last{number}")
            for key, of, count, *ends in by_key.filter(pl.col(f"flagged{number}") > 0).select(columns).iter_rows():
                examples = tuple(dict.fromkeys(each for each in ends if each is not None))
                found = judged(rule, group, key=key, count=count, of=of, what="records", examples=examples)
                if found is not None:
                    yield found


def _summed(counted: pl.DataFrame, group: Group) -> pl.DataFrame:
    """Add the counts up for one kind of group; rows that have no such key belong to none."""
    sums = [pl.col(r"^(of|flagged)\d+$").sum(), pl.col(r"^first\d+$").min(), pl.col(r"^last\d+$").max()]
    if group == _EVERYTHING:
        return counted.select(pl.lit(None, pl.String).alias("key"), *sums)
    known = counted.filter(pl.col(group).is_not_null())
    return known.group_by(pl.col(group).alias("key")).agg(sums).sort("key")


def _in_quarantine(quarantine: pl.LazyFrame, counted: pl.DataFrame, rules: Sequence[Rule]) -> Iterator[Finding]:
    """Hold what was refused to all documents: the records and the refused."""
    if not rules:
        return
    flags = {rule.name: rule.flagged().fill_null(value=False) for rule in rules}
    refused = (
        quarantine.select("source_id", "reason", **flags)
        .group_by("source_id", "reason")
        .agg(pl.len().alias("documents"), pl.col(list(flags)).sum())
        .collect(engine="streaming")
    )
    records = counted.select("source_id", pl.col("records").alias("documents"))
    documents = pl.concat([records, refused.select("source_id", "documents")])
    of_source = dict(documents.group_by("source_id").sum().iter_rows())
    sources = refused.filter(pl.col("source_id").is_not_null()).partition_by("source_id", as_dict=True)
    for rule in rules:
        if _EVERYTHING in rule.groups():
            yield from _refused(rule, "all", None, refused, sum(of_source.values()))
        if "source_id" in rule.groups():
            for (source,), rows in sorted(sources.items()):
                yield from _refused(rule, "source_id", str(source), rows, of_source[source])


def _refused(rule: Rule, group: Group, key: str | None, rows: pl.DataFrame, of: int) -> Iterator[Finding]:
    """Hold the refused of one group to a rule, with the reasons that they were refused for."""
    reasons = rows.group_by("reason").agg(pl.col(rule.name).sum()).filter(pl.col(rule.name) > 0)
    listed = ", ".join(
        f"{reason} {count:,}"
        for reason, count in reasons.sort(rule.name, "reason", descending=[True, False]).iter_rows()
    )
    count = int(reasons[rule.name].sum())
    found = judged(rule, group, key=key, count=count, of=of, what="documents", more=f" Reasons: {listed}.")
    if found is not None:
        yield found


# ---- rules with a pass of their own -------------------------------------------------------------


def _night(counted: pl.DataFrame, rule: Rule) -> Iterator[Finding]:
    """Say that a night has no record, whatever else it has."""
    for level, bounds in _levels(rule):
        if counted.is_empty() and _EVERYTHING in bounds:
            yield Finding(rule=rule.name, level=level, count=0, of=0, value=0, threshold=0, sentence=rule.meaning)
            return


def _names(articles: pl.LazyFrame, rule: Rule) -> Iterator[Finding]:
    """Count the records whose record_id is not their own."""
    often = (
        articles.filter(pl.col("record_id").is_not_null())
        .group_by("run_id", "record_id").agg(pl.len().alias("times"))
        .select(
            pl.col("times").sum().alias("of"),
            pl.col("times").filter(pl.col("times") > 1).sum().alias("count"),
            pl.col("record_id").filter(pl.col("times") > 1).bottom_k(3).sort().alias("examples").implode(),
        ).collect(engine="streaming")
    )  # fmt: skip
    of, count, examples = often.row(0)
    found = judged(rule, "all", key=None, count=count, of=of, what="records", examples=examples)
    if found is not None:
        yield found


def _blocks(articles: pl.LazyFrame, counted: pl.DataFrame, rule: Rule) -> Iterator[Finding]:
    """Find blocks that stand in many articles of one site, in a sample of each: as large a share as passes shows there."""
    shares = _shares_to_search(counted, rule.least)
    if shares.is_empty():
        return
    share = pl.col("domain").replace_strict(shares["domain"], shares["share"], default=0.0)
    is_drawn = (pl.col("record_id").hash() % _DRAWS / _DRAWS) < share
    often = (
        articles.filter(_SEARCHABLE & is_drawn)
        # One empty block for each article, which counts the articles.
        .select("domain", "record_id", pl.concat_str(pl.lit(_BLANK_LINE), "text").str.split(_BLANK_LINE).list.unique().alias("block"))
        .explode("block")
        .filter((pl.col("block").str.len_chars() >= _SHORTEST_BLOCK) | (pl.col("block") == ""))
        # Of a block, only its hash and its beginning are kept by group.
        .group_by("domain", pl.col("block").hash().alias("hash"))
        .agg(
            pl.len().alias("records"),
            pl.col("block").str.slice(0, _SHOWN).min(),
            pl.col("record_id").min().alias("first"),
            pl.col("record_id").max().alias("last"),
        )
        .filter(pl.col("records") >= _FEWEST)
        .sort("domain", "records", "hash", descending=[False, True, False])
        .collect(engine="streaming")
    )  # fmt: skip
    searched = dict(often.filter(pl.col("block") == "").select("domain", "records").iter_rows())
    worst = often.filter(pl.col("block") != "").group_by("domain", maintain_order=True).first()
    for domain, _, count, block, first, last in worst.iter_rows():
        shown = "".join(char if char.isprintable() else " " for char in block)
        found = judged(
            rule, "domain", key=domain, count=count, of=searched[domain], what="articles that were searched",
            examples=(first, last), more=f' The most frequent begins "{shown}".',
        )  # fmt: skip
        if found is not None:
            yield found


def _shares_to_search(counted: pl.DataFrame, least: int) -> pl.DataFrame:
    """Say of which share of a site's articles the blocks are counted; the largest sites come first."""
    return (
        counted.group_by("domain").agg(pl.col("searchable").sum().alias("size"))
        .filter(pl.col("domain").is_not_null(), pl.col("size") >= least)
        .sort("size", "domain", descending=[True, False])
        .with_columns(pl.min_horizontal("size", pl.lit(_OF_A_SITE)).alias("searched"))
        .filter(pl.col("searched").cum_sum() <= _OF_ALL_SITES)
        .select("domain", (pl.col("searched") / pl.col("size")).alias("share"))
    )  # fmt: skip
