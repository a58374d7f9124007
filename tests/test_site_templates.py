"""Two nights of one invented site: what the first night taught is taken from the pages of the second."""

from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest
from whole_runs import Ended, babelwire

FOOT = "The Skerry Lantern is owned by the people who read it, and every household on the islands has one share and one vote."

#: Headline and story of each page.
NEWS = (
    (
        "Lighthouse gets its keeper back",
        (
            "After nineteen years without one, the lighthouse on Gull Skerry has a keeper again. Marta Elvine moved in on Monday "
            "with two suitcases and a dog."
        ),
        (
            "The lamp has been automatic since 2006, but the roof leaked and the stairs were rotting, and nobody was there to "
            "notice. The parish decided that a tenant would be cheaper than a builder."
        ),
    ),
    (
        "School orchestra plays in the fish hall",
        (
            "Forty pupils of the school in Brannoch will play their summer concert between the crates of the fish hall, because "
            "the gymnasium is being painted."
        ),
        (
            "Their teacher, Olav Strand, says that the hall sounds better than any room he knows, as long as the ice machine is "
            "switched off before the slow movement begins."
        ),
    ),
    (
        "Mail boat will sail on Sundays",
        (
            "From the first week of May the mail boat will sail on Sundays as well, the shipping office announced yesterday. It "
            "will carry parcels, newspapers and up to six passengers."
        ),
        (
            "Shopkeepers on the outer islands had asked for the change for years. Until now bread from the mainland arrived on "
            "Monday and was sold as fresh on Tuesday."
        ),
    ),
    (
        "Storm uncovers an old road under the beach",
        (
            "Walkers found the paving of a road under the north beach after the storm of last week had carried the sand away to "
            "a depth of almost two metres."
        ),
        (
            "The museum believes that carts brought kelp along it to the kilns. Archaeologists have four days to draw a plan of "
            "the stones before the tide covers them again."
        ),
    ),
)


def page(number: int) -> str:
    title, *story = NEWS[number]
    body = "".join(f"<p>{text}</p>" for text in (*story, FOOT))
    address = f"https://skerry-lantern.example/news/{number}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<link rel="canonical" href="{address}"></head><body><article><h1>{title}</h1>{body}</article></body></html>'
    )


def night(folder: Path, numbers: range, day: str, *more: str) -> Ended:
    pages = folder / f"pages-{day}"
    pages.mkdir(exist_ok=True)
    for number in numbers:
        (pages / f"{number}.html").write_text(page(number))
    ended = babelwire("run", pages.name, "--output", "out", "--date", day, "--to", "off", *more, folder=folder)
    assert ended.code == 0, ended.talk
    return ended


def two_nights(folder: Path, *more: str) -> Path:
    night(folder, range(2), "2026-01-07", *more)
    return night(folder, range(2, 4), "2026-01-08", *more).output


def digests(output: Path) -> dict[str, str]:
    return {
        path.relative_to(output).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(output.rglob("*.parquet"))
    }


def records(output: Path) -> pl.DataFrame:
    return pl.scan_parquet(output / "articles/**/*.parquet").sort("run_date", "source_uri").collect()


def test_the_second_night_takes_out_what_the_first_night_taught(tmp_path: Path) -> None:
    output = two_nights(tmp_path)
    found = records(output)
    assert found["domain"].unique().to_list() == ["skerry-lantern.example"]
    assert found["text"].str.contains(FOOT, literal=True).to_list() == [True, True, False, False]
    cut = (
        found.select("removed").explode("removed").unnest("removed").filter(pl.col("rule").str.starts_with("template:"))
    )
    assert cut.select("role", "rule").rows() == [("boilerplate", "template:4 of 4 pages")] * 2
    assert cut["text"].unique().to_list() == [FOOT]
    for row in found.iter_rows(named=True):
        assert row["text"] == "\n\n".join(paragraph["text"] for paragraph in row["paragraphs"])
        assert row["text_sha256"] == sha256(row["text"].encode()).hexdigest()


@pytest.mark.parametrize("more", [("--workers", "1"), ("--workers", "2"), ("--workers", "2", "--fresh")])
def test_the_same_nights_give_the_same_bytes_whatever_the_workers(tmp_path: Path, more: tuple[str, ...]) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    output = digests(two_nights(first))
    assert any(name.startswith("state/templates/") for name in output)
    assert digests(two_nights(second, *more)) == output
    night(second, range(2, 4), "2026-01-08", *more, "--fresh")
    assert digests(second / "out") == output


def test_who_deletes_the_state_has_the_site_forgotten(tmp_path: Path) -> None:
    output = night(tmp_path, range(2), "2026-01-07").output
    for file in (output / "state" / "templates").iterdir():
        file.unlink()
    night(tmp_path, range(2, 4), "2026-01-08")
    assert records(output)["text"].str.contains(FOOT, literal=True).all()


def test_a_broken_file_of_templates_is_said_with_what_to_do(tmp_path: Path) -> None:
    output = night(tmp_path, range(2), "2026-01-07").output
    (broken,) = (output / "state" / "templates").iterdir()
    broken.write_bytes(b"no Parquet at all")
    ended = babelwire("run", "pages-2026-01-07", "--output", "out", "--date", "2026-01-09", "--fresh", folder=tmp_path)
    assert ended.code == 2
    assert broken.name in ended.talk
    assert "delete it" in ended.talk
    assert "Traceback" not in ended.talk
