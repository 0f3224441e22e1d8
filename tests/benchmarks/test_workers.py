"""Programs are started when needed, their results are cached, and their failures are reported."""

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
    """The inputs of the program, in order."""
    (tmp_path / "calls").touch()
    return lambda: (tmp_path / "calls").read_text().split()


@pytest.fixture
def worker(tmp_path):
    def start():
        return [sys.executable, "-c", PROGRAM, str(tmp_path / "calls")], dict(os.environ)

    return lambda **settings: Worker(start, tmp_path / "results", **settings)


def test_a_result_is_computed_once(worker, calls):
    for _ in range(2):
        with worker() as program:
            for text in ("one", "two"):
                path, cost = program.run(text)
                assert path.read_text() == text.upper()
                assert cost.seconds == 1
    assert calls() == ["one", "two"]


def test_nothing_is_started_for_a_cached_result(worker, tmp_path):
    with worker() as program:
        program.run("one")
    idle = Worker(lambda: pytest.fail("started"), tmp_path / "results")
    assert idle.run("one")[0].read_text() == "ONE"


def test_an_incomplete_result_is_computed_again(worker, calls, tmp_path):
    with worker() as program:
        path, _ = program.run("one")
        path.with_suffix(".json").unlink()  # the file that is written last
        program.run("one")
    assert calls() == ["one", "one"]


def test_a_failure_is_reported_and_not_cached(worker, calls):
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
    with worker(timeout=1.0) as program:
        with pytest.raises(ProgramError, match=r"ended with -9 after \d+ s: no message"):
            program.run("hang")


def test_a_failed_installation_is_not_repeated(tmp_path):
    tries = []

    def start():
        tries.append(1)
        raise ProgramError("not on the index")

    with Worker(start, tmp_path / "results") as program:
        for text in ("one", "two"):
            with pytest.raises(ProgramError, match="not on the index"):
                program.run(text)
    assert len(tries) == 1
