"""Processes that use a translation memory; a module of its own, as they are found by name."""

import os
import signal
from datetime import date
from pathlib import Path

from normalize.translate.memory import Remembered, TranslationMemory, key_of

DAY = date(2026, 1, 8)


def key(number: int) -> bytes:
    return key_of("model", "beam", str(number))


def item(number: int, *, run_id: str = "a") -> Remembered:
    return Remembered(text=f"sentence {number} " + "x" * 200, log_probability=-0.5, tokens=3, run_id=run_id, chunk=0)


def fill(memory: TranslationMemory, *numbers: int) -> None:
    memory.add([(key(number), item(number)) for number in numbers])


def add_and_die(path: Path) -> None:
    memory = TranslationMemory.open(path, DAY)
    for start in range(0, 100_000, 100):
        fill(memory, *range(start, start + 100))
        if start == 500:
            os.kill(os.getpid(), signal.SIGKILL)


def add_many(path: Path, first: int) -> None:
    with TranslationMemory.open(path, DAY) as memory:
        for start in range(first, first + 2_000, 20):
            memory.recall([key(number) for number in range(start, start + 20)])
            fill(memory, *range(start, start + 20))
