"""Programs are started when needed, what they made is kept, and what they break is told."""

from __future__ import annotations

import os
import sys

import pytest
from programs import ProgramError
from workers import Worker

PROGRAM = """
import json, sys, time
for line in sys.stdin:
    job = json.loads(line)
    text = open(job["source"]).read()
    with open(sys.argv[1], "a") as log:
        log.write(text + " ")
    if text == "crash":
        sys.exit("out of memory")
    if text == "hang":
        time.sleep(60)
    open(job["target"], "w").write(text.upper())
    error = "too hard" if text == "hard" else None
    numbers = dict.fromkeys(("seconds", "cpu_seconds", "load_seconds", "peak_mb", "threads"), 1)
    print(json.dumps({**numbers, "error": error}), flush=True)
"""


@pytest.fixture
def calls(tmp_path):
    """What the program was given, in order."""
    (tmp_path / "calls").touch()
    return lambda: (tmp_path / "calls").read_text().split()


@pytest.fixture
def worker(tmp_path):
    def start():
        return [sys.executable, "-c", PROGRAM, str(tmp_path / "calls")], dict(os.environ)

    return lambda **settings: Worker(start, tmp_path / "results", **settings)


def test_a_result_is_made_once_and_found_again(worker, calls):
    for _ in range(2):
        with worker() as program:
            for text in ("one", "two"):
                made, cost = program.run(text)
                assert made.read_text() == text.upper()
                assert cost.seconds == 1
    assert calls() == ["one", "two"]


def test_nothing_is_started_for_what_is_kept(worker, tmp_path):
    with worker() as program:
        program.run("one")
    idle = Worker(lambda: pytest.fail("started"), tmp_path / "results")
    assert idle.run("one")[0].read_text() == "ONE"


def test_a_result_that_was_cut_short_is_made_again(worker, calls, tmp_path):
    with worker() as program:
        made, _ = program.run("one")
        made.with_suffix(".json").unlink()  # what is written last is not there yet
        program.run("one")
    assert calls() == ["one", "one"]


def test_a_failure_is_told_and_not_kept(worker, calls):
    with worker() as program:
        for _ in range(2):
            with pytest.raises(ProgramError, match="too hard"):
                program.run("hard")
        program.run("one")
    assert calls() == ["hard", "hard", "one"]


def test_a_program_that_died_is_started_again(worker):
    with worker() as program:
        with pytest.raises(ProgramError, match=r"ended with 1 after \d+ s: out of memory"):
            program.run("crash")
        assert program.run("one")[0].read_text() == "ONE"


def test_a_program_that_hangs_is_stopped(worker):
    with worker(patience=1.0) as program:
        with pytest.raises(ProgramError, match=r"ended with -9 after \d+ s: no message"):
            program.run("hang")


def test_what_cannot_be_installed_is_tried_once(tmp_path):
    tries = []

    def start():
        tries.append(1)
        raise ProgramError("not on the index")

    with Worker(start, tmp_path / "results") as program:
        for text in ("one", "two"):
            with pytest.raises(ProgramError, match="not on the index"):
                program.run(text)
    assert len(tries) == 1
