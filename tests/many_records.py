"""Writes an output folder with as many records as one likes, in parts as runs write them: 60 sources, twelve languages.

Every part is made, written and forgotten, so that the memory does not grow. The words are made up of the letters of their
language; texts have the lengths of news (a median of some 2,100 characters, a tenth of them over 5,400).
"""

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import cache
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from schemas.record import QUARANTINE, RECORD, SCHEMA_VERSION

NIGHT = date(2026, 3, 17)
RUN_ID = "0123456789abcdef"
SOURCES = 60

#: Language -> script, letters, and what stands between words.
LANGUAGES = {
    "en": ("Latn", "etaoinshrdlucmfwypvbgk", " "),
    "de": ("Latn", "enisratdhulcgmobwfkzüäöß", " "),
    "fr": ("Latn", "esaitnrulodcpmvqfbghéèà", " "),
    "es": ("Latn", "eaosrnidlctumpbgvyqhfíó", " "),
    "tr": ("Latn", "aeinrlıkdmuyotbsşüzgçhö", " "),
    "el": ("Grek", "αοιετσνηυρπκμλςγδθχφβάέό", " "),
    "ru": ("Cyrl", "оеаинтсрвлкмдпуяыьгзбчй", " "),
    "uk": ("Cyrl", "оанівиретсклумдпязьбгйч", " "),
    "ar": ("Arab", "اليمونرتبعدسفهكقحجشصطخ", " "),
    "hi": ("Deva", "कनरतसपमयलहवदबगजचटथभधशड", " "),
    "zh-Hans": ("Hans", "的一是在不了有和人这中大为上个国我以要他时来用们", ""),
    "ja": ("Jpan", "のにはをたがでてとしれさある日本年月人会社新聞東京", ""),
}


def write_night(folder: Path, records: int, *, part: int = 200, workers: int = 2) -> None:
    """Write one run of one night: articles, quarantine and the manifest that makes them count."""
    jobs = [(folder, number, min(part, records - number * part)) for number in range(-(-records // part))]
    # A fork of a process that holds threads of polars may hang.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        files = list(pool.map(_write_part, jobs, chunksize=16))
    refused = _quarantine(records // 100)
    files.append(_write(refused, folder, f"quarantine/run_date={NIGHT}/run={RUN_ID}/part-00000.parquet"))
    counts = {"in": records + refused.height, "records": records, "quarantined": refused.height, "skipped": 0}
    manifest: dict[str, Any] = {
        "command": ["babelwire", "run"],
        "config_sha256": "0" * 64,
        "counts": counts,
        "files": files,
        "finished_at": "2026-03-17T04:00:00+00:00",
        "inputs": [],
        "run_date": NIGHT.isoformat(),
        "run_id": RUN_ID,
        "schema_version": SCHEMA_VERSION,
        "started_at": "2026-03-17T01:00:00+00:00",
        "tools": {"babelwire": "0"},
    }
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    (folder / f"runs/{RUN_ID}.json").write_text(json.dumps(manifest), "utf-8")


def language_of(source: int) -> str:
    """Give the language of a source: half of them write English."""
    names = list(LANGUAGES)
    return "en" if source % 2 else names[source // 2 % len(names)]


def _write_part(job: tuple[Path, int, int]) -> dict[str, object]:
    folder, number, size = job
    name = f"articles/run_date={NIGHT}/run={RUN_ID}/part-{number:05}.parquet"
    return _write(_records(np.random.default_rng(number), number, size), folder, name)


def _write(frame: pl.DataFrame, folder: Path, name: str) -> dict[str, object]:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path, compression="zstd", compression_level=1)
    return {"path": name, "rows": frame.height, "bytes": path.stat().st_size, "sha256": "0" * 64}


@cache
def _sentences(lang: str) -> list[str]:
    """Make sentences of made-up words."""
    _, letters, space = LANGUAGES[lang]
    random = np.random.default_rng(len(lang) + ord(letters[0]))
    often = 1 / np.arange(1, len(letters) + 1)
    words = [
        "".join(random.choice(list(letters), size=int(length), p=often / often.sum()))
        for length in random.integers(2, 11 if space else 4, size=3000)
    ]
    common = 1 / np.arange(2, len(words) + 2)
    chosen = random.choice(len(words), size=(3000, 14), p=common / common.sum())
    end = "." if space else "。"
    return [space.join(words[each] for each in row).capitalize() + end for row in chosen]


def _texts(lang: str, counts: np.ndarray, random: np.random.Generator) -> Iterator[list[str]]:
    """Give the paragraphs of each record, three sentences in each."""
    sentences = _sentences(lang)
    space = LANGUAGES[lang][2]
    for count in counts:
        chosen = [sentences[each] for each in random.integers(len(sentences), size=int(count))]
        yield [space.join(chosen[start : start + 3]) for start in range(0, len(chosen), 3)]


def _records(random: np.random.Generator, number: int, size: int) -> pl.DataFrame:
    """Make one part. Runs read one file after the other, so a part is of a few sources."""
    rows: list[dict[str, object]] = []
    sources = (number * 3 + random.integers(0, 3, size=size)) % SOURCES
    lengths = np.clip(random.lognormal(np.log(24), 0.7, size=size), 4, 400).astype(int)
    for each in range(size):
        source, count = int(sources[each]), lengths[each : each + 1]
        lang = language_of(source)
        paragraphs = next(_texts(lang, count, random))
        translated = next(_texts("en", count, random)) if lang != "en" else None
        rows.append(_row(number * 200 + each, source, paragraphs, translated, random))
    return pl.DataFrame(rows, schema=RECORD)


def _row(
    index: int,
    source: int,
    paragraphs: list[str],
    translated: list[str] | None,
    random: np.random.Generator,
) -> dict[str, object]:
    name = sha256(str(index).encode()).hexdigest()
    lang = language_of(source)
    text = "\n\n".join(paragraphs)
    fetched = datetime(2026, 3, 17, 1, tzinfo=UTC) + timedelta(seconds=index % 9000)
    chance = random.random(6)
    sentences = _sentences(lang)
    return {
        **dict.fromkeys(RECORD),
        "record_id": name[:32],
        "story_id": name[32:],
        "url": f"https://site-{source:02}.example/{name[:12]}",
        "domain": f"site-{source:02}.example",
        "publisher": f"Site {source:02}",
        "source_id": f"site-{source:02}",
        "title": sentences[int(random.integers(len(sentences)))][:70],
        "text": text,
        "paragraphs": [{"role": "paragraph", "text": each, "lang": None} for each in paragraphs],
        "authors": ["A. N. Author"] if chance[0] < 0.7 else None,
        "published_at": None if chance[1] < 0.04 else fetched - timedelta(hours=float(chance[2]) * 20),
        "published_precision": None if chance[1] < 0.04 else "minute",
        "page_type": "article" if chance[3] < 0.95 else "listing",
        "lang": lang,
        "lang_script": LANGUAGES[lang][0],
        "lang_score": 0.99,
        "lang_declared": lang,
        "lang_conflict": bool(chance[4] < 0.01),
        "mt_lang": None if translated is None else "en",
        "mt_text": None if translated is None else "\n\n".join(translated),
        "mt_status": "not_needed" if translated is None else "done",
        "charset": "utf-8",
        "removed": [
            {"role": role, "rule": rule, "text": sentences[int(random.integers(len(sentences)))]}
            for role, rule in (("navigation", "judge"), ("promotion", "judge"), ("footer", "judge"))
        ],
        "text_sha256": sha256(text.encode()).hexdigest(),
        "dup_of": name[:32] if chance[5] < 0.05 else None,
        "dup_kind": "exact" if chance[5] < 0.05 else None,
        "source_kind": "warc",
        "source_uri": f"raw/pages-{source:05}.warc.gz",
        "source_offset": index * 9000,
        "source_length": 8900,
        "raw_sha256": name,
        "fetched_at": fetched,
        "http_status": 200,
        "run_id": RUN_ID,
        "run_date": NIGHT,
        "schema_version": SCHEMA_VERSION,
        "config_sha256": "0" * 64,
    }


def _quarantine(size: int) -> pl.DataFrame:
    rows = [
        {
            **dict.fromkeys(QUARANTINE),
            "stage": "extract",
            "reason": ("no_text", "only_boilerplate", "too_deep")[index % 3],
            "detail": "a page without a story",
            "source_kind": "warc",
            "source_uri": f"raw/pages-{index % SOURCES:05}.warc.gz",
            "source_offset": index * 9000,
            "source_length": 100,
            "source_id": f"site-{index % SOURCES:02}",
            "run_id": RUN_ID,
            "run_date": NIGHT,
        }
        for index in range(size)
    ]
    return pl.DataFrame(rows, schema=QUARANTINE)
