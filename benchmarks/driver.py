"""Rebuild chains with one program; started by `workers.py` under the Python that has the program.

    python driver.py NAME [SETTING=VALUE ...]

Reads one job a line, {"source": PDB, "target": PDB}, and answers each with one line: wall and CPU
seconds of the work alone, seconds that loading took, peak memory in MB, threads allowed, and what went
wrong, if anything did. Needs nothing but the standard library and the program.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

Run = Callable[[str, str], None]


def pypulchra() -> Run:
    from pypulchra import run_from_pdb_str

    def run(source: str, target: str) -> None:
        Path(target).write_text(run_from_pdb_str(Path(source).read_text()).pdb_str)

    return run


def pulchra() -> Run:
    from pulchra import Pulchra

    def run(source: str, target: str) -> None:
        Pulchra().reconstruct(source, target)

    return run


def pyfaspr() -> Run:
    from pyfaspr import run_FASPR

    def run(source: str, target: str) -> None:
        Path(target).write_text(run_FASPR(source))

    return run


def cgback() -> Run:
    from cgback.backmapper_app import main

    def run(source: str, target: str) -> None:
        sys.argv = ["cgback", source, "--output", target, "--seed", str(_seed(source))]
        main()

    return run


def latcpb(weights: str = "", mode: str = "best", samples: str = "1", device: str = "auto") -> Run:
    from latcpb_cli import Backmapper, backmap_trajectory, open_source

    model = Backmapper.from_pretrained(weights or None, device=device)

    def run(source: str, target: str) -> None:
        chain = open_source([Path(source)])
        options = {"samples": int(samples), "seed": _seed(source), "mode": mode}
        backmap_trajectory(model, chain, target, overwrite=True, **options)

    return run


PROGRAMS: dict[str, Callable[..., Run]] = {
    program.__name__: program for program in (pypulchra, pulchra, pyfaspr, cgback, latcpb)
}


def answer(run: Run, source: str, target: str) -> dict[str, float | str | None]:
    """Do one job; whatever the program does, there is an answer."""
    error, wall, cpu = None, time.perf_counter(), _cpu_seconds()
    try:
        run(source, target)
    except (Exception, SystemExit) as problem:
        error = f"{type(problem).__name__}: {problem}".splitlines()[0]
    seconds, cpu_seconds = time.perf_counter() - wall, _cpu_seconds() - cpu
    if error is None and not (os.path.isfile(target) and os.path.getsize(target)):
        error = "wrote nothing"
    return {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "peak_mb": _peak_mb(),
        "threads": int(os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(0))),
        "error": error,
    }


def _seed(source: str) -> int:
    """Of the input: frames of an ensemble come one by one, and the same noise would make them alike."""
    return zlib.crc32(Path(source).read_bytes())


def _cpu_seconds() -> float:
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def _peak_mb() -> float:
    # Not ru_maxrss of this process: that begins with the size of the process which started it.
    status = Path("/proc/self/status").read_text()
    own = int(status.split("VmHWM:")[1].split()[0])
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def main() -> None:
    name, *settings = sys.argv[1:]
    # Programs, and what they start, may print and read as they like: the two pipes are out of their reach.
    jobs, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    began = time.perf_counter()
    run = PROGRAMS[name](**dict(setting.split("=", 1) for setting in settings))
    loading = time.perf_counter() - began
    for line in jobs:
        job = json.loads(line)
        done = answer(run, job["source"], job["target"])
        answers.write(json.dumps({**done, "load_seconds": loading}) + "\n")


if __name__ == "__main__":
    main()
