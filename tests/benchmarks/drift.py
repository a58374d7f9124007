"""Is a fault told on its first night, with the right source and column, and are quiet nights quiet?

    python tests/benchmarks/drift.py [--seeds 201 202 ...] [--nights 30] [--rounds 2]

Simulated nights (``tests/simulated_nights.py``): 60 sources, 30 nights, some 200,000 records for each seed. Each of 12 kinds of
fault is planted at 3 strengths, each time in one source on one of the last 15 nights; some at a time, all in other sources,
none in a source that has fewer than 20 pages on such a night, where nobody could tell. A fault counts as found when a finding
of that night names its source; as rightly blamed when that finding also names its column and that night as the first.

False alarms are counted on the same nights without any fault: every finding is one. The constants of ``schemas.quality.drift``
were set with the seeds 1 to 4, and looked at once with 101 to 106; the default seeds are others.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from simulated_nights import FAULTS, STRENGTHS, Fault, Newsroom, Night, Strength, tables  # noqa: E402

from schemas.quality.drift import drift  # noqa: E402
from schemas.quality.finding import Finding  # noqa: E402

SEEDS = (201, 202, 203, 204, 205, 206)
#: Nights before the first fault.
QUIET = 15
AT_A_TIME = 4
#: Pages that a source has on such a night, at least, to be given a fault.
LEAST = 20
#: A fault is looked at once more so many nights later.
LATER = 3

Key = tuple[str, Strength]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What came of all faults."""

    planted: Counter[Key] = field(default_factory=Counter)
    found: Counter[Key] = field(default_factory=Counter)
    blamed: Counter[Key] = field(default_factory=Counter)
    #: Findings of a source with one fault beyond the first of them.
    more: Counter[Key] = field(default_factory=Counter)
    #: Told some nights later with the right first night.
    later: Counter[Key] = field(default_factory=Counter)


def choose(room: Newsroom, night: int, keys: Sequence[Key], rng: np.random.Generator) -> list[Fault]:
    """Give each fault a source of its own."""
    day = room.day(night)
    free = {source.name: source for source in room.sources if room.expected(source, night) >= LEAST}
    faults = []
    for kind, strength in keys:
        able = [name for name, source in free.items() if FAULTS[kind].possible(source)]
        name = str(rng.choice(able))
        del free[name]
        faults.append(Fault(kind=kind, strength=strength, source=name, day=day))
    return faults


def right(finding: Finding, fault: Fault) -> bool:
    """Does a finding blame the right column, and the right night as the first?"""
    return finding.column in FAULTS[fault.kind].columns and finding.since == fault.day


def false_alarms(nights: Sequence[Night]) -> Iterator[Finding]:
    """Ask for every night; nothing is wrong with any."""
    for number, night in enumerate(nights):
        yield from drift(tables(nights[: number + 1]), night=night.day)


def plant(room: Newsroom, nights: Sequence[Night], seen: Seen, rng: np.random.Generator) -> None:
    """Plant every kind and strength once, and see whether it is told."""
    keys: list[Key] = [(kind, strength) for kind in FAULTS for strength in STRENGTHS]
    rng.shuffle(keys)
    for start in range(0, len(keys), AT_A_TIME):
        some = keys[start : start + AT_A_TIME]
        night = int(rng.integers(QUIET, len(nights) - LATER))
        faults = choose(room, night, some, rng)
        days = [*nights[:night], *(room.night(number, faults) for number in range(night, night + LATER + 1))]
        first, later = drift(tables(days[: night + 1]), night=days[night].day), drift(tables(days), night=days[-1].day)
        for fault in faults:
            key: Key = (fault.kind, fault.strength)
            own = [finding for finding in first if finding.source_id == fault.source]
            seen.planted[key] += 1
            seen.found[key] += bool(own)
            seen.blamed[key] += any(right(finding, fault) for finding in own)
            seen.more[key] += max(len(own) - 1, 0)
            seen.later[key] += any(right(finding, fault) for finding in later if finding.source_id == fault.source)
            if own and not any(right(finding, fault) for finding in own):
                print(f"  wrongly blamed: {fault.kind} ({fault.strength}): {own[0].sentence}")


def table(seen: Seen) -> str:
    """Show shares by kind and strength: found on the first night, rightly blamed, and still so some nights later."""
    lines = [f"{'':24}" + "".join(f"{strength:>26}" for strength in STRENGTHS)]
    lines.append(f"{'':24}" + f"{'found  blamed   later':>26}" * len(STRENGTHS))
    for kind in FAULTS:
        cells = []
        for strength in STRENGTHS:
            of = max(seen.planted[kind, strength], 1)
            shares = (
                seen.found[kind, strength] / of,
                seen.blamed[kind, strength] / of,
                seen.later[kind, strength] / of,
            )
            cells.append("".join(f"{share:>8.0%}" for share in shares))
        lines.append(f"{kind:24}" + "".join(f"{cell:>26}" for cell in cells))
    return "\n".join(lines)


def total(seen: Seen, strength: Strength) -> float:
    """Give the share of faults of a strength that were told on the first night and rightly blamed."""
    return sum(seen.blamed[kind, strength] for kind in FAULTS) / sum(seen.planted[kind, strength] for kind in FAULTS)


def main() -> None:
    """Run it for all seeds, and print."""
    parser = argparse.ArgumentParser(description="Faults planted in simulated nights, and what drift says of them.")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--nights", type=int, default=30)
    parser.add_argument(
        "--rounds", type=int, default=2, help="how often each kind and strength is planted for each seed"
    )
    options = parser.parse_args()
    seen, alarms, asked, records = Seen(), 0, 0, []
    for seed in options.seeds:
        room = Newsroom(seed)
        nights = [room.night(number) for number in range(options.nights)]
        records.append(sum(night.articles.height for night in nights))
        for finding in false_alarms(nights):
            alarms += 1
            print(f"  false alarm, seed {seed}: {finding.sentence}")
        asked += len(nights)
        rng = np.random.default_rng([seed, 5])
        for _ in range(options.rounds):
            plant(room, nights, seen, rng)
    print(f"\n{len(options.seeds)} seeds of {options.nights} nights, {np.mean(records):,.0f} records each")
    print(table(seen))
    print(f"faults planted: {seen.planted.total():,}; findings beyond one for a fault: {seen.more.total()}")
    print(
        f"drift: strong={total(seen, 'strong'):.3f} medium={total(seen, 'medium'):.3f} weak={total(seen, 'weak'):.3f} "
        f"false_alarms_per_ten_nights={10 * alarms / asked:.2f}"
    )


if __name__ == "__main__":
    main()
