"""How fast, and in how much memory: our command and the programs of others on the same synthetic inputs.

    python benchmarks/throughput.py --work FOLDER --out throughput        all sweeps, peers included
    python benchmarks/throughput.py --work FOLDER --sweeps frames --frames 2000,10000
    python benchmarks/throughput.py --work FOLDER --quick                 a minute, to see that it works

Sweeps: cold (one protein of 100 residues, from typing the command), residues (one frame of growing size),
frames (100 residues each), samples, threads, workers, and peers (files of one frame of 100 residues; ours
builds the same frames as a trajectory). Residues per second leave out loading; the wall time is that of the
whole command. Prints Markdown; --out NAME writes NAME.md, NAME.json and NAME.png (with matplotlib).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from commands import Run, run_command
from programs import PEERS, ProgramError, command
from systems import chain, pdb_text, sequence, write_system
from throughput_plot import plot
from torch.utils.flop_counter import FlopCounterMode
from workers import Worker

from latcpb_cli import Backmapper, open_source

LENGTH = 100
CHAIN = 200
SWEEPS = ("cold", "residues", "frames", "samples", "threads", "workers", "peers")


@dataclass(frozen=True)
class Row:
    """One measurement: ``value`` is what the sweep varies."""

    sweep: str
    program: str
    value: int
    residues: int
    seconds: float
    wall: float
    peak_mb: float
    note: str = ""

    @property
    def speed(self) -> float:
        """Residues (times frames and samples) per second."""
        return self.residues / self.seconds


def main() -> None:
    options = _options()
    options.work.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    for sweep in options.sweeps:
        for row in MEASURES[sweep](options):
            rows.append(row)
            print(_line(row), file=sys.stderr, flush=True)
    operations = operations_per_residue(options)
    facts = {
        "cores": len(os.sched_getaffinity(0)),
        "device": options.device,
        "weights": options.weights or "default",
        "matrix operations per residue": f"{operations / 1e6:.1f} million",
    }
    if options.peak_tflops is not None and rows:
        share = 100 * operations * max(row.speed for row in rows if row.program == "latcpb")
        facts["share of the peak"] = f"{share / (options.peak_tflops * 1e12):.2f} %"
    text = markdown(facts, rows)
    print(text)
    if options.out is not None:
        content = {**facts, "rows": [{**asdict(row), "speed": row.speed} for row in rows]}
        options.out.with_suffix(".json").write_text(json.dumps(content, indent=1) + "\n")
        options.out.with_suffix(".md").write_text(text)
        if not plot(content["rows"], options.out.with_suffix(".png")):
            print("no plot: matplotlib is not installed", file=sys.stderr)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--work", type=Path, required=True, metavar="FOLDER", help="inputs, outputs, peers")
    parser.add_argument("--out", type=Path, metavar="NAME")
    parser.add_argument("--sweeps", type=_names, default=SWEEPS)
    parser.add_argument("--residues", type=_numbers, default=(100, 200, 1000, 4000, 10000, 40000))
    parser.add_argument("--frames", type=_numbers, default=(100, 1000))
    parser.add_argument("--samples", type=_numbers, default=(2, 4))
    parser.add_argument("--threads", type=_numbers, default=tuple(sorted({1, cores})))
    parser.add_argument("--workers", type=_numbers, default=tuple(sorted({1, cores})))
    parser.add_argument(
        "--swept", type=int, default=200, help="frames for threads and workers, tenth for samples"
    )
    parser.add_argument(
        "--fast-frames", type=int, default=200, help="for pypulchra, pyfaspr and ours beside them"
    )
    parser.add_argument(
        "--slow-frames", type=int, default=2, help="for cgback and the Python port of pulchra"
    )
    parser.add_argument("--peers", type=_names, default=tuple(PEERS))
    parser.add_argument("--quick", action="store_true", help="small numbers everywhere")
    parser.add_argument("--weights")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--peak-tflops", type=float, help="of the device, to say which share of it is used")
    options = parser.parse_args()
    if options.quick:
        options.residues, options.frames, options.samples = (100, 400), (10, 20), (2,)
        options.threads = options.workers = (1,)
        options.swept, options.fast_frames, options.slow_frames = 10, 10, 1
    return options


def operations_per_residue(options: argparse.Namespace) -> float:
    """Additions and multiplications in the matrix products of best mode, relief left out."""
    top, trajectory = write_system(options.work, 1, LENGTH, 1)
    source = open_source([trajectory], top)
    model = Backmapper.from_pretrained(options.weights, device="cpu")
    with FlopCounterMode(display=False) as counter:
        for chunk in source.chunks(1):
            model.sample(source.trace, chunk, samples=1, seed=0, mode="best")
    # A block is filled up with copies.
    return counter.get_total_flops() / (LENGTH * model.frames_per_block(LENGTH))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _ours(options: argparse.Namespace, inputs: tuple[Path, Path], *extra: str) -> Run:
    """One run of our command."""
    top, trajectory = inputs
    settings = ["--device", options.device, *(["--weights", options.weights] if options.weights else [])]
    return run_command([str(trajectory), "--top", str(top), *settings, *extra], options.work)


def _row(sweep: str, value: int, residues: int, done: Run) -> Row:
    return Row(sweep, "latcpb", value, residues, done.seconds, done.wall, done.peak_mb)


def cold(options: argparse.Namespace) -> Iterator[Row]:
    done = _ours(options, write_system(options.work, 1, LENGTH, 1))
    yield Row("cold", "latcpb", 1, LENGTH, done.wall, done.wall, done.peak_mb, "all of the command")


def residues(options: argparse.Namespace) -> Iterator[Row]:
    for count in options.residues:
        chains, length = (count // CHAIN, CHAIN) if count > CHAIN else (1, count)
        yield _row(
            "residues", count, chains * length, _ours(options, write_system(options.work, chains, length, 1))
        )


def frames(options: argparse.Namespace) -> Iterator[Row]:
    for count in options.frames:
        done = _ours(options, write_system(options.work, 1, LENGTH, count))
        yield _row("frames", count, LENGTH * count, done)


def samples(options: argparse.Namespace) -> Iterator[Row]:
    count = max(1, options.swept // 10)
    for number in options.samples:
        done = _ours(options, write_system(options.work, 1, LENGTH, count), "--samples", str(number))
        yield _row("samples", number, LENGTH * count * number, done)


def varied(option: str, options: argparse.Namespace) -> Iterator[Row]:
    """Threads or workers."""
    for number in getattr(options, option):
        done = _ours(
            options, write_system(options.work, 1, LENGTH, options.swept), f"--{option}", str(number)
        )
        yield _row(option, number, LENGTH * options.swept, done)


def peers(options: argparse.Namespace) -> Iterator[Row]:
    """Programs of others, one file of one frame after the other; FASPR adds side chains to our backbone."""
    for name in options.peers:
        program = PEERS[name]
        count = options.slow_frames if program.slow else options.fast_frames
        folder = options.work / "throughput" / program.label
        texts = list(_backbones(options, count) if name == "pyfaspr" else _traces(count))
        try:
            with Worker(partial(command, program, options.work / "environments"), folder) as worker:
                yield _peer(program.label, worker, texts, folder)
        except ProgramError as error:
            print(f"{program.label}: {error.message}", file=sys.stderr)
    done = _ours(options, write_system(options.work, 1, LENGTH, options.fast_frames))
    yield _row("peers", options.fast_frames, LENGTH * options.fast_frames, done)


def _peer(label: str, worker: Worker, texts: list[str], folder: Path) -> Row:
    for kept in folder.glob("*.json"):
        kept.unlink()  # what it made is not wanted, only how fast
    costs = [worker.run(text)[1] for text in texts]
    seconds = sum(cost.seconds for cost in costs)
    note = f"first frame after {costs[0].load_seconds + costs[0].seconds:.1f} s"
    peak = max(cost.peak_mb for cost in costs)
    return Row(
        "peers", label, len(texts), LENGTH * len(texts), seconds, seconds + costs[0].load_seconds, peak, note
    )


def _traces(count: int) -> Iterator[str]:
    for frame in range(count):
        # Every input is another one, so that none is taken for done.
        yield f"REMARK {frame}\n" + pdb_text(sequence(LENGTH), chain(LENGTH, frame % 20))


def _backbones(options: argparse.Namespace, count: int) -> Iterator[str]:
    """N, CA, C and O of what our command makes of the traces."""
    top, trajectory = write_system(options.work, 1, LENGTH, count)
    built = options.work / "backbones.pdb"
    _ours(options, (top, trajectory), "-o", str(built))
    for number, model in enumerate(built.read_text().split("ENDMDL")[:count]):
        atoms = [
            line
            for line in model.splitlines()
            if line[:4] == "ATOM" and line[12:16].strip() in "N CA C O".split()
        ]
        yield "\n".join([f"REMARK {number}", *atoms, "TER", "END", ""])


MEASURES: dict[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
    "cold": cold, "residues": residues, "frames": frames, "samples": samples,
    "threads": partial(varied, "threads"), "workers": partial(varied, "workers"), "peers": peers,
}  # fmt: skip


def _line(row: Row) -> str:
    return f"{row.sweep} {row.value}: {row.program} {row.speed:,.0f} residues/s, {row.peak_mb:,.0f} MB"


def markdown(facts: dict[str, object], rows: list[Row]) -> str:
    """One table, a row for each measurement."""
    head = ["sweep", "", "program", "residues", "residues/s", "seconds", "wall, s", "peak, MB", "note"]
    lines = [
        ", ".join(f"{name}: {value}" for name, value in facts.items()),
        "",
        "| " + " | ".join(head) + " |",
    ]
    lines.append("|---|---:|---|" + "---:|" * 5 + "---|")
    for row in rows:
        cells = (
            row.sweep, f"{row.value:,}", row.program, f"{row.residues:,}", f"{row.speed:,.0f}",
            f"{row.seconds:.2f}", f"{row.wall:.2f}", f"{row.peak_mb:,.0f}", row.note,
        )  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
