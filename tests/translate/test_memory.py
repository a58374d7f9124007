"""What was translated once is remembered: across nights, crashes and runs at the same time."""

import multiprocessing
import signal
from datetime import date
from pathlib import Path

import pytest
from memory_users import DAY, add_and_die, add_many, fill, item, key

from normalize.translate.memory import TranslationMemory, key_of
from schemas.errors import SetupError


def test_what_was_added_is_recalled_by_a_later_night(tmp_path: Path) -> None:
    with TranslationMemory.open(tmp_path / "state" / "memory", DAY) as memory:
        fill(memory, *range(3_000))
    with TranslationMemory.open(tmp_path / "state" / "memory", DAY) as memory:
        found = memory.recall([key(number) for number in range(2_000, 4_000)])
    assert found == {key(number): item(number) for number in range(2_000, 3_000)}


def test_model_decoding_and_sentence_all_belong_to_the_key() -> None:
    assert len({key_of("m", "d", "s"), key_of("n", "d", "s"), key_of("m", "e", "s"), key_of("m", "d", "t")}) == 4
    assert key_of("m", "d", "\ud800") != key_of("m", "d", "")


def test_the_first_to_pay_for_a_sentence_stays_its_owner(tmp_path: Path) -> None:
    with TranslationMemory.open(tmp_path / "memory", DAY) as memory:
        memory.add([(key(1), item(1, run_id="a"))])
        memory.add([(key(1), item(1, run_id="b"))])
        assert memory.recall([key(1)])[key(1)].run_id == "a"


def test_what_was_not_used_for_longest_is_forgotten_first(tmp_path: Path) -> None:
    with TranslationMemory.open(tmp_path / "memory", date(2026, 1, 1)) as memory:
        fill(memory, *range(5_000))
    with TranslationMemory.open(tmp_path / "memory", date(2026, 1, 2)) as memory:
        memory.recall([key(number) for number in range(1_000)])
        half = memory.size() // 2
        assert 2_000 < memory.prune(half) < 4_000
        assert memory.size() <= half
        assert len(memory.recall([key(number) for number in range(1_000)])) == 1_000
    assert (tmp_path / "memory").stat().st_size <= half


def test_a_memory_of_no_size_forgets_everything(tmp_path: Path) -> None:
    with TranslationMemory.open(tmp_path / "memory", DAY) as memory:
        fill(memory, 1, 2, 3)
        assert memory.prune(0) == 3


def test_a_killed_run_leaves_whole_batches(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=add_and_die, args=(tmp_path / "memory",))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    with TranslationMemory.open(tmp_path / "memory", DAY) as memory:
        assert len(memory.recall([key(number) for number in range(1_000)])) == 600


def test_two_runs_use_one_memory_at_the_same_time(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=add_many, args=(tmp_path / "memory", first)) for first in (0, 1_000)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    with TranslationMemory.open(tmp_path / "memory", DAY) as memory:
        assert len(memory.recall([key(number) for number in range(3_000)])) == 3_000


def test_a_damaged_memory_is_set_aside_as_it_only_saves_time(tmp_path: Path) -> None:
    (tmp_path / "memory").write_bytes(b"this is no database" * 100)
    with TranslationMemory.open(tmp_path / "memory", DAY) as memory:
        fill(memory, 1)
    assert (tmp_path / "memory.damaged").read_bytes().startswith(b"this is no database")


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match=r"look after the output's disk"):
        TranslationMemory.open(tmp_path / "file" / "memory", DAY)
    (tmp_path / "folder").mkdir()
    with pytest.raises(SetupError, match=r"translation memory .*folder cannot be used"):
        TranslationMemory.open(tmp_path / "folder", DAY)
