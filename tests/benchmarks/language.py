"""Which language a text is in: how often right, how often surely wrong, and how fast, beside langdetect on the same texts.

    python tests/benchmarks/language.py [SET ...]

The texts are those of ../shared/bench/language, in 93 languages. The tables hold what is scored there, by language, with what each
was mistaken for; then the close groups, and the share of right answers by score. Speed is texts per CPU second on paragraphs, one
thread, langdetect with seed 0; load time and peak memory are those of a fresh process that has detected one text.
"""

import argparse
import gzip
import json
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT.parent / "shared" / "bench" / "language"
sys.path.insert(0, str(ROOT))

from normalize.language.detect import detect  # noqa: E402
from normalize.options import DocumentOptions  # noqa: E402

SETS = ("headline", "paragraph", "article")
GROUPS = (
    "hr bs sr",
    "id ms",
    "da nb nn sv",
    "uk ru be bg mk sr",
    "es pt gl ca",
    "cs sk",
    "hi mr ne",
    "fa ps ur ar",
    "zh-cn zh-tw",
)
#: Texts that langdetect is timed on; it answers some 240 in a second.
TIMED = 1_500
FRESH = """
import sys, time
sys.path.insert(0, sys.argv[1])
before = time.perf_counter()
from normalize.language.detect import detect
detect(["The night ferry to the island sailed again on Monday."], min_score=0.4)
passed = time.perf_counter() - before
# Not getrusage: its peak is the parent's where that had more when it started this process.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(passed, int(peak.split()[1]) / 1024)
"""


def rows(name: str) -> list[dict[str, str]]:
    """Read the texts of one set."""
    with gzip.open(BENCH / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def named(tag: str) -> str:
    """Give the name that the truth has for an answer."""
    chinese = {"zh-Hans": "zh-cn", "zh-Hant": "zh-tw"}
    return chinese.get(tag) or tag.split("-", maxsplit=1)[0]


def is_right(truth: str, answer: str) -> bool:
    """Either form of Norwegian may be called Norwegian, and Chinese of unknown script Chinese."""
    if truth in {"nb", "nn"}:
        return answer in {truth, "no"}
    return answer == truth or (truth.startswith("zh") and answer.startswith("zh"))


def measure(name: str) -> None:
    """Print what one set shows."""
    least = DocumentOptions().min_lang_score
    right: dict[str, list[bool]] = defaultdict(list)
    taken: dict[str, Counter[str]] = defaultdict(Counter)
    bands: dict[int, list[bool]] = defaultdict(list)
    unknown = sure = texts = 0
    for row in rows(name):
        found = detect([row["text"]], min_score=least)
        answer, texts = named(found.tag), texts + 1
        ok = is_right(row["lang"], answer)
        right[row["lang"]].append(ok)
        unknown += answer == "und"
        if not ok:
            taken[row["lang"]][answer] += 1
        if found.score is not None:
            bands[min(9, int(10 * found.score))].append(ok)
            sure += not ok and found.score >= 0.9
    share = {lang: sum(found) / len(found) for lang, found in right.items()}
    print(f"\n{name}: {texts} texts, {len(share)} languages, right {sum(share.values()) / len(share):.4f} (mean over languages), "
          f"und {unknown / texts:.4f}, wrong with a score of 0.9 or more {sure / texts:.4f}")  # fmt: skip
    for lang in sorted(share, key=lambda lang: (share[lang], lang)):
        if taken[lang]:
            wrong = " ".join(f"{tag} {count}" for tag, count in taken[lang].most_common(4))
            print(f"  {lang:6} {len(right[lang]):4} texts {share[lang]:.3f}   taken for {wrong}")
    for group in GROUPS:
        known = [share[lang] for lang in group.split() if lang in share]
        if known:
            print(f"  {group:20} {sum(known) / len(known):.4f}")
    for band, answers in sorted(bands.items()):
        print(f"  score from {band / 10:.1f} {len(answers):5} texts, right {sum(answers) / len(answers):.3f}")


def speed() -> float:
    """Give how many times as many texts per CPU second as langdetect, on paragraphs."""
    import langdetect  # noqa: PLC0415

    texts = [row["text"] for row in rows("paragraph")]
    timed = texts[:: max(1, len(texts) // TIMED)]
    langdetect.DetectorFactory.seed = 0
    langdetect.detect_langs("Its profiles are loaded by the first text.")
    before = time.process_time()
    for text in timed:
        try:
            langdetect.detect_langs(text)
        except langdetect.LangDetectException:
            continue
    middle = time.process_time()
    for text in timed:
        detect([text], min_score=0.0)
    after = time.process_time()
    print(
        f"\nparagraphs per CPU second: {len(timed) / (after - middle):.0f}, langdetect {len(timed) / (middle - before):.0f}"
    )
    return (middle - before) / (after - middle)


def main() -> None:
    """Print the tables and the line that sums up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=SETS)
    for name in parser.parse_args().sets:
        measure(name)
    ratio = speed()
    answer = subprocess.run([sys.executable, "-c", FRESH, str(ROOT)], check=True, capture_output=True, text=True).stdout
    load, peak = map(float, answer.split())
    print(f"language: ratio={ratio:.1f} load_s={load:.2f} peak_mb={peak:.0f}")


if __name__ == "__main__":
    main()
