"""Kill runs in every way, at random moments, and hold what they come to in the end against a calm run.

    python tests/benchmarks/kill.py [KILLS]      50 of each kind if none is given

Reads pages of the bench where it is there, else the samples. The table says for each way of dying how often a run died, over
how many runs, how many files differ in a byte from those of the calm run, and how many records are lost or there twice.
"""

import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import kills
from kills import ROOT, Night

BENCH = ROOT.parent / "shared" / "bench" / "extraction"
SEED = 20260108


def inputs(folder: Path) -> list[str]:
    """Put what is read beside the output; gives how it is named."""
    if BENCH.exists():
        for name in ("fundus_eval", "fundus_i18n"):
            (folder / f"{name}.warc.gz").symlink_to(BENCH / f"{name}.warc.gz")
        return ["fundus_eval.warc.gz", "fundus_i18n.warc.gz"]
    (folder / "seeds").symlink_to(ROOT / "seeds", target_is_directory=True)
    return ["seeds/sources.toml"]


def main() -> None:
    """Measure and print."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    chance = kills.chances(SEED)
    totals: Counter[str] = Counter()
    print(f"{'what dies':20} {'deaths':>7} {'runs':>6} {'differing files':>16} {'lost':>6} {'twice':>6}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        named = inputs(folder)
        calm = Night(folder=folder, inputs=named, output="calm", chunk_size=20)
        calm.finish()
        expected, ids = calm.digests(), calm.record_ids()
        for what in ("command and workers", "power", "one worker"):
            deaths = runs = 0
            found: Counter[str] = Counter()
            while deaths < wanted:
                runs += 1
                night = Night(folder=folder, inputs=named, output=f"{what.split()[-1]}-{runs}", chunk_size=20)
                left = wanted - deaths
                if what == "one worker":
                    deaths += kills.workers_killed(night, chance, most=left)
                else:
                    death = kills.of_power if what == "power" else kills.of_all
                    deaths += kills.until_done(night, death, chance, most=left)
                mine, digests = Counter(night.record_ids()), night.digests()
                found["differing_files"] += sum(
                    digests.get(file) != expected.get(file) for file in digests.keys() | expected.keys()
                )
                found["lost"] += sum((Counter(ids) - mine).values())
                found["twice"] += sum((mine - Counter(ids)).values())
                shutil.rmtree(folder / night.output)
            print(
                f"{what:20} {deaths:7} {runs:6} {found['differing_files']:16} {found['lost']:6} {found['twice']:6}",
                flush=True,
            )
            totals += found
            totals["kills"] += deaths
    print(
        f"kill: kills={totals['kills']} differing_files={totals['differing_files']} "
        f"lost={totals['lost']} twice={totals['twice']}"
    )


if __name__ == "__main__":
    main()
