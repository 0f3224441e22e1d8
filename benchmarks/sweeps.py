"""The sweeps of `throughput.py`: what varies, and what is measured."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from commands import CommandCost, run_command
from programs import PEERS, ProgramError, command
from systems import CONFORMATIONS, pdb_text, random_chain, random_sequence, write_system
from workers import Worker

from latcpb_cli.weights import bundled_names

__all__ = ["LENGTH", "SWEEPS", "Measurement"]

LENGTH = 100
"""Residues of a frame, where frames are many."""
CHAIN_LENGTH = 200
"""Residues of the chains of a large frame."""
ALONE_CHAINS = 5
"""Chains of the frame that is compared with a trajectory of such frames."""
BACKBONE_ATOMS = ("N", "CA", "C", "O")
PAIRS = 2
"""Runs of each of two commands that are compared, in turns."""


@dataclass(frozen=True)
class Measurement:
    """Time and memory of one run; ``value`` is what the sweep varies."""

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

    def __str__(self) -> str:
        speed, memory = f"{self.speed:,.0f} residues/s", f"{self.peak_mb:,.0f} MB"
        return f"{self.sweep} {self.value}: {self.program} {speed}, {memory}"


def run_latcpb(options: argparse.Namespace, inputs: tuple[Path, Path], *extra: str) -> CommandCost:
    """Run our command on a topology and a trajectory."""
    top, trajectory = inputs
    settings = ["--device", options.device, *(["--weights", options.weights] if options.weights else [])]
    return run_command([str(trajectory), "--top", str(top), *settings, *extra], options.work)


def _measurement(sweep: str, value: int, residues: int, cost: CommandCost) -> Measurement:
    return Measurement(sweep, "latcpb", value, residues, cost.seconds, cost.wall, cost.peak_mb)


def sweep_cold(options: argparse.Namespace) -> Iterator[Measurement]:
    cost = run_latcpb(options, write_system(options.work, 1, LENGTH, 1))
    note = "the whole command"
    yield Measurement("cold", "latcpb", 1, LENGTH, cost.wall, cost.wall, cost.peak_mb, note)


def sweep_residues(options: argparse.Namespace) -> Iterator[Measurement]:
    for count in options.residues:
        chains, length = (count // CHAIN_LENGTH, CHAIN_LENGTH) if count > CHAIN_LENGTH else (1, count)
        cost = run_latcpb(options, write_system(options.work, chains, length, 1))
        yield _measurement("residues", count, chains * length, cost)


def sweep_alone(options: argparse.Namespace) -> Iterator[Measurement]:
    """Build a frame with one thread, and a trajectory of such frames as the command does, in turns."""
    frames, length = options.sweep_frames // 2, ALONE_CHAINS * CHAIN_LENGTH
    for _ in range(PAIRS):
        alone = write_system(options.work, ALONE_CHAINS, CHAIN_LENGTH, 1)
        cost = run_latcpb(options, alone, "--threads", "1")
        yield replace(_measurement("alone", 1, length, cost), note="--threads 1")
        cost = run_latcpb(options, write_system(options.work, ALONE_CHAINS, CHAIN_LENGTH, frames))
        yield _measurement("alone", frames, length * frames, cost)


def sweep_frames(options: argparse.Namespace) -> Iterator[Measurement]:
    for count in options.frames:
        cost = run_latcpb(options, write_system(options.work, 1, LENGTH, count))
        yield _measurement("frames", count, LENGTH * count, cost)


def sweep_backbones(options: argparse.Namespace) -> Iterator[Measurement]:
    """Build the same frames from their Cα, and with ``--keep-backbone`` on the backbones that this gave."""
    for count in options.frames:
        inputs, built = write_system(options.work, 1, LENGTH, count), options.work / "built.xtc"
        for _ in range(PAIRS):
            cost = run_latcpb(options, inputs, "-o", str(built))
            yield _measurement("backbones", count, LENGTH * count, cost)
            cost = run_latcpb(options, (built.with_suffix(".top.pdb"), built), "--keep-backbone")
            yield replace(_measurement("backbones", count, LENGTH * count, cost), note="--keep-backbone")


def sweep_models(options: argparse.Namespace) -> Iterator[Measurement]:
    """Build the same frames with each model of the package, in turns."""
    for count in options.frames:
        inputs = write_system(options.work, 1, LENGTH, count)
        for _ in range(PAIRS):
            for name in bundled_names():
                cost = run_latcpb(options, inputs, "--weights", name)
                yield replace(_measurement("models", count, LENGTH * count, cost), note=name)


def sweep_samples(options: argparse.Namespace) -> Iterator[Measurement]:
    frames = max(1, options.sweep_frames // 10)
    for count in options.samples:
        inputs = write_system(options.work, 1, LENGTH, frames)
        cost = run_latcpb(options, inputs, "--samples", str(count))
        yield _measurement("samples", count, LENGTH * frames * count, cost)


def sweep_option(option: str, options: argparse.Namespace) -> Iterator[Measurement]:
    """Vary the number of threads or of workers."""
    for count in getattr(options, option):
        inputs = write_system(options.work, 1, LENGTH, options.sweep_frames)
        cost = run_latcpb(options, inputs, f"--{option}", str(count))
        yield _measurement(option, count, LENGTH * options.sweep_frames, cost)


def sweep_peers(options: argparse.Namespace) -> Iterator[Measurement]:
    """Run the peers on one file of one frame after the other; packers get latcpb's backbone."""
    for name in options.peers:
        program = PEERS[name]
        count = options.slow_frames if program.slow else options.fast_frames
        folder = options.work / "throughput" / program.label
        texts = list(_backbones(options, count) if program.packer else _traces(count))
        try:
            with Worker(partial(command, program, options.work / "environments"), folder) as worker:
                yield _measure_peer(program.label, worker, texts, folder)
        except ProgramError as error:
            print(f"{program.label}: {error.message}", file=sys.stderr)
    cost = run_latcpb(options, write_system(options.work, 1, LENGTH, options.fast_frames))
    yield _measurement("peers", options.fast_frames, LENGTH * options.fast_frames, cost)


def _measure_peer(label: str, worker: Worker, texts: list[str], folder: Path) -> Measurement:
    for cached in folder.glob("*.json"):
        cached.unlink()  # a cached result would hide the time that it took
    costs = [worker.run(text)[1] for text in texts]
    seconds, first = sum(cost.seconds for cost in costs), costs[0]
    return Measurement(
        "peers",
        label,
        value=len(texts),
        residues=LENGTH * len(texts),
        seconds=seconds,
        wall=seconds + first.load_seconds,
        peak_mb=max(cost.peak_mb for cost in costs),
        note=f"first frame after {first.load_seconds + first.seconds:.1f} s",
    )


def _traces(count: int) -> Iterator[str]:
    for frame in range(count):
        # The remark makes every input different, so that no result is taken from the cache.
        chain = random_chain(LENGTH, frame % CONFORMATIONS)
        yield f"REMARK {frame}\n" + pdb_text(random_sequence(LENGTH), chain)


def _backbones(options: argparse.Namespace, count: int) -> Iterator[str]:
    """N, CA, C and O of the structures that latcpb builds on the traces."""
    built = options.work / "backbones.pdb"
    run_latcpb(options, write_system(options.work, 1, LENGTH, count), "-o", str(built))
    for number, model in enumerate(built.read_text().split("ENDMDL")[:count]):
        atoms = [
            line
            for line in model.splitlines()
            if line[:4] == "ATOM" and line[12:16].strip() in BACKBONE_ATOMS
        ]
        yield "\n".join([f"REMARK {number}", *atoms, "TER", "END", ""])


SWEEPS: dict[str, Callable[[argparse.Namespace], Iterator[Measurement]]] = {
    "cold": sweep_cold,
    "residues": sweep_residues,
    "alone": sweep_alone,
    "frames": sweep_frames,
    "backbones": sweep_backbones,
    "models": sweep_models,
    "samples": sweep_samples,
    "threads": partial(sweep_option, "threads"),
    "workers": partial(sweep_option, "workers"),
    "peers": sweep_peers,
}
