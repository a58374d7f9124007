"""Worker processes: order, and what becomes of documents that loop, crash or eat memory."""

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fake_work
import pytest

from ingest.engines import local
from ingest.engines.local import Outcome, WarmUp, Work, WorkerOptions, map_documents
from normalize.options import DocumentOptions
from schemas.document import Article, RawDocument, Rejected
from schemas.errors import SetupError

TWO = WorkerOptions(workers=2, seconds=30.0, megabytes=2000, look_ahead=8)


def document(text: str) -> RawDocument:
    return RawDocument(source_kind="text", source_uri=text[:20], content=text.encode())


def outcomes(
    *texts: str,
    options: WorkerOptions = TWO,
    work: Work = fake_work.work,
    warm_up: WarmUp = fake_work.warm_up,
) -> list[Outcome]:
    return list(
        map_documents(
            [document(text) for text in texts],
            work=work,
            warm_up=warm_up,
            document_options=DocumentOptions(),
            worker_options=options,
        )
    )


def said(outcome: Outcome) -> str:
    """Give the text of an article or the reason of a refusal."""
    return outcome.text if isinstance(outcome, Article) else outcome.reason


def test_outcomes_come_in_the_order_of_the_documents() -> None:
    texts = [f"{'SLOW ' if number % 3 == 0 else ''}{number}" for number in range(30)]
    assert [said(item) for item in outcomes(*texts)] == texts


def test_an_article_comes_back_with_its_bytes() -> None:
    (article,) = outcomes("abc")
    assert isinstance(article, Article)
    assert article.raw == document("abc")


def test_what_is_refused_already_is_passed_on_in_its_place() -> None:
    refused = Rejected(stage="source", reason="empty", detail="x", source_kind="text", source_uri="y")
    mixed = map_documents(
        [document("a"), refused, document("b")],
        work=fake_work.work,
        warm_up=fake_work.warm_up,
        document_options=DocumentOptions(),
        worker_options=TWO,
    )
    assert [said(item) for item in mixed] == ["a", "empty", "b"]


def test_no_worker_is_started_for_nothing_but_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_Worker", None)
    assert outcomes() == []


def test_a_document_that_never_ends_is_refused_and_the_rest_goes_on() -> None:
    options = replace(TWO, seconds=0.5)
    first, looping, last = outcomes("a", "LOOP", "b", options=options)
    assert (said(first), said(last)) == ("a", "b")
    assert isinstance(looping, Rejected)
    assert (looping.stage, looping.reason) == ("engine", "timeout")
    assert looping.detail.startswith("0.5 s limit")
    assert looping.raw_sha256 is not None


def test_a_document_that_kills_its_worker_is_refused_and_the_rest_goes_on() -> None:
    found = outcomes("a", "DIE", "b", "DIE twice", "c", "d", "e", "f", "g", "h")
    assert [said(item) for item in found] == ["a", "worker_died", "b", "worker_died", *"cdefgh"]
    assert isinstance(found[1], Rejected)
    assert "exit code 9" in found[1].detail


def test_a_document_that_eats_memory_is_refused_and_the_rest_goes_on() -> None:
    first, eating, last = outcomes("a", "EAT", "b")
    assert (said(first), said(last)) == ("a", "b")
    assert isinstance(eating, Rejected)
    assert (eating.stage, eating.reason) == ("engine", "memory")
    assert eating.detail.startswith("2000 MiB limit")


def test_a_bug_in_a_step_is_refused_with_type_message_and_place() -> None:
    (broken,) = outcomes("BUG")
    assert isinstance(broken, Rejected)
    assert (broken.stage, broken.reason) == ("engine", "internal_error")
    assert broken.detail.startswith("ValueError: cannot read 500 (tests/fake_work.py:")


def test_an_answer_that_cannot_be_sent_is_refused() -> None:
    (broken,) = outcomes("a", work=fake_work.unsendable)
    assert said(broken) == "internal_error"


@pytest.mark.parametrize(
    ("warm_up", "message"), [(fake_work.no_warm_up, "FileNotFoundError: no model"), (fake_work.deadly_warm_up, "")]
)
def test_workers_that_cannot_start_stop_the_run_and_say_why(warm_up: WarmUp, message: str) -> None:
    with pytest.raises(SetupError, match="a worker process cannot start") as caught:
        outcomes("a", "b", warm_up=warm_up)
    assert message in str(caught.value)


def test_a_document_that_comes_back_when_no_worker_can_start_any_more_is_not_waited_for() -> None:
    crew = local.Crew(fake_work.work, fake_work.warm_up, DocumentOptions(), TWO)
    crew._fail(SetupError("none can start"), deque())
    task = local._Task(document("a"))
    crew._give_back(deque([task]))
    assert task.is_done
    with pytest.raises(SetupError, match="none can start"):
        task.outcome()


def test_reading_runs_ahead_of_the_work_only_so_far() -> None:
    read = 0

    def reading() -> Iterator[RawDocument]:
        nonlocal read
        for number in range(100):
            read += 1
            yield document(f"SLOW {number}")

    running = map_documents(
        reading(),
        work=fake_work.work,
        warm_up=fake_work.warm_up,
        document_options=DocumentOptions(),
        worker_options=TWO,
    )
    for done, _ in enumerate(running, start=1):
        assert read <= done + TWO.look_ahead
    assert read == 100


def test_large_documents_are_read_ahead_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "LOOK_AHEAD_BYTES", 10)
    assert len(outcomes(*(f"SLOW {number}" for number in range(6)))) == 6


def test_all_workers_lost_at_once_lose_no_document() -> None:
    texts = [f"SLOW {number}" for number in range(40)]
    running = map_documents(
        [document(text) for text in texts],
        work=fake_work.work,
        warm_up=fake_work.warm_up,
        document_options=DocumentOptions(),
        worker_options=TWO,
    )
    found = [said(next(running))]
    for pid in workers():
        os.kill(pid, signal.SIGKILL)
    found += [said(item) for item in running]
    assert found == texts


def test_idle_workers_that_are_lost_are_replaced() -> None:
    def reading() -> Iterator[RawDocument]:
        yield document("a")
        for pid in workers():
            os.kill(pid, signal.SIGKILL)
        time.sleep(1)
        yield document("b")
        yield document("c")

    running = map_documents(
        reading(),
        work=fake_work.work,
        warm_up=fake_work.warm_up,
        document_options=DocumentOptions(),
        worker_options=TWO,
    )
    assert [said(item) for item in running] == ["a", "b", "c"]


def test_no_worker_is_left_when_the_run_is_given_up() -> None:
    running = map_documents(
        [document(f"SLOW {number}") for number in range(40)],
        work=fake_work.work,
        warm_up=fake_work.warm_up,
        document_options=DocumentOptions(),
        worker_options=TWO,
    )
    next(running)
    assert workers()
    running.close()
    assert not workers()


ALONE = """
import fake_work, sys
from test_local_engine import TWO, document
from ingest.engines.local import map_documents
from normalize.options import DocumentOptions

if __name__ == "__main__":
    running = map_documents([document("a"), document("LOOP"), *[document("b")] * 9], work=fake_work.work, warm_up=fake_work.warm_up,
        document_options=DocumentOptions(), worker_options=TWO)
    next(running)
    print("begun", flush=True)
    for _ in running:
        pass
"""


def test_no_worker_outlives_a_run_that_is_killed_even_in_a_document_that_loops(tmp_path: Path) -> None:
    script = tmp_path / "alone.py"
    script.write_text(ALONE)
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path), str(Path(__file__).parents[2])])
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        left = workers(process.pid)
        assert len(left) == 2
        process.kill()
    for _ in range(100):
        if not any(Path(f"/proc/{pid}").exists() for pid in left):
            break
        time.sleep(0.1)
    assert not [pid for pid in left if Path(f"/proc/{pid}").exists()]


def test_large_documents_do_not_keep_the_clock_from_being_watched() -> None:
    options = replace(TWO, workers=1, seconds=1.0)
    large = "x" * 3_000_000
    found = outcomes("a", "LOOP", large, large, "LOOP again", "b", options=options)
    assert [said(item) for item in found] == ["a", "timeout", large, large, "timeout", "b"]


def workers(of: int | None = None) -> list[int]:
    """Find the worker processes: children of the forkserver, which is a child of ours or of another process."""
    listing = subprocess.run(
        ["ps", "-e", "-o", "pid=,ppid=,stat="],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rows = [line.split() for line in listing.splitlines()]
    children = {int(pid) for pid, parent, _ in rows if int(parent) == (of or os.getpid())}
    return [int(pid) for pid, parent, state in rows if int(parent) in children and state[0] != "Z"]
