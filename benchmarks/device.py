"""Speed, waits of the host, memory and agreement with the CPU of one GPU, in minutes and without a network.

    python benchmarks/device.py --work FOLDER                          on the GPU, in eight minutes
    python benchmarks/device.py --work FOLDER --device cpu --quick     a minute, as a check of the script

Each row is a synthetic system (`systems.py`). The whole command reads it, builds it, relieves overlaps, and
writes XTC and report, in a process of its own; its speed leaves out loading. `LoadedModel.sample` builds some
blocks of it in this process. Rows for which the time is short are left out. Prints Markdown.
"""

from __future__ import annotations

import argparse
import math
import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from sweeps import CHAIN_LENGTH, LENGTH, run_latcpb
from systems import write_system
from throughput import operations_per_residue

from latcpb_cli import open_source
from latcpb_cli.chem.residues import slot_mask
from latcpb_cli.device import resolve_device
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.options import BackmapOptions
from latcpb_cli.structure import CGTrace, FrameChunk

BLOCKS = 4
"""Blocks that are timed in `LoadedModel.sample`."""
AGREEMENT = 0.01
"""Å within which an atom is the same on two devices."""
COMPARED_FRAMES = 5
RESERVE = 1.3
"""Factor on the time that a row is expected to take."""
LOADING_SECONDS = 15.0
"""Of the command."""
MATRIX, REPEATS = {"cpu": 1024, "cuda": 8192}, 10
"""Rows of the matrices, and number of their products, by which the peak is measured."""


@dataclass(frozen=True)
class System:
    """A synthetic system: chains of one frame, their residues, frames and samples."""

    chains: int
    residues: int
    frames: int
    samples: int = 1

    @property
    def n_residues(self) -> int:
        return self.chains * self.residues * self.frames * self.samples

    def __str__(self) -> str:
        size, samples = self.chains * self.residues, f", {self.samples} samples" if self.samples > 1 else ""
        return f"{self.frames:,} x {size:,}{samples}"


QUICK = (System(1, LENGTH, 10), System(2, CHAIN_LENGTH, 1, 2))
SYSTEMS = tuple(
    System(chains, residues, frames, samples)
    for samples in (1, 16)
    for chains, residues, frames in (
        (1, LENGTH, 1000),
        (1000 // CHAIN_LENGTH, CHAIN_LENGTH, 100),
        (40_000 // CHAIN_LENGTH, CHAIN_LENGTH, 1),
        (400_000 // CHAIN_LENGTH, CHAIN_LENGTH, 1),
    )
)


@dataclass(frozen=True)
class SampleCost:
    """Residues per second of `LoadedModel.sample`; on a GPU, waits of the host per block, and memory (GB)."""

    speed: float
    waits: float | None
    peak_gb: float | None


def main() -> None:
    options = parse_options()
    options.work.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * options.minutes
    model = LoadedModel.from_pretrained(options.weights, device=options.device)
    peaks = {name: matmul_peak(options.device, kind) for name, kind in precisions(options.device).items()}
    operations = operations_per_residue(options)
    print(facts(options, model, peaks, operations))
    print(agreement(options, model), flush=True)
    header = ["system", "residues/s", "of sample", *(f"% of {name} peak" for name in peaks), "waits/block"]
    print("\n| " + " | ".join([*header, "GB of the device", "GB of the host"]) + " |")
    print("|---|" + "---:|" * (len(header) + 1))
    seconds_per_residue = 0.0
    for system in QUICK if options.quick else SYSTEMS:
        expected = LOADING_SECONDS + RESERVE * seconds_per_residue * system.n_residues
        if time.monotonic() + expected > end:
            print(f"| {system} | left out: the time is short |" + " |" * len(header), flush=True)
            continue
        started = time.monotonic()
        inputs = write_system(options.work, system.chains, system.residues, system.frames)
        cost = measure_sample(model, inputs, system.samples)
        command = run_latcpb(options, inputs, "--samples", str(system.samples))
        shares = [f"{100 * operations * cost.speed / peak:.2f}" for peak in peaks.values()]
        cells = [
            f"{system.n_residues / command.seconds:,.0f}", f"{cost.speed:,.0f}", *shares, show(cost.waits),
            show(cost.peak_gb), show(command.peak_mb / 1024),
        ]  # fmt: skip
        print(f"| {system} | " + " | ".join(cells) + " |", flush=True)
        seconds_per_residue = (time.monotonic() - started) / system.n_residues


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, metavar="FOLDER", help="inputs and outputs")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:N or cpu (%(default)s)")
    parser.add_argument("--weights")
    parser.add_argument("--minutes", type=float, default=8.0, help="time for all rows (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="two small systems")
    options = parser.parse_args()
    options.device = resolve_device(options.device)
    return options


def precisions(device: str) -> dict[str, torch.dtype]:
    """Kinds of numbers whose peak is measured; a CPU computes in 32 bits."""
    both = {"bf16": torch.bfloat16, "fp32": torch.float32}
    return both if torch.device(device).type == "cuda" else {"fp32": torch.float32}


def matmul_peak(device: str, dtype: torch.dtype) -> float:
    """Operations per second of large matrix products."""
    size = MATRIX[torch.device(device).type]
    first, second = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    first @ second
    synchronize(device)
    started = time.perf_counter()
    for _ in range(REPEATS):
        first @ second
    synchronize(device)
    return 2.0 * size**3 * REPEATS / (time.perf_counter() - started)


def synchronize(device: str) -> None:
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)


def facts(options: argparse.Namespace, model: LoadedModel, peaks: dict[str, float], operations: float) -> str:
    """What the figures depend on."""
    is_gpu = torch.device(options.device).type == "cuda"
    name = torch.cuda.get_device_name(options.device) if is_gpu else "CPU"
    parts = [
        f"device: {name}, {len(os.sched_getaffinity(0))} cores of the host",
        f"torch {torch.__version__}, weights {model.weights_name}",
        *(f"{kind} peak {peak / 1e12:.3g} TFLOP/s" for kind, peak in peaks.items()),
        f"matrix operations per residue: {operations / 1e6:.1f} million",
    ]
    return ", ".join(parts)


def agreement(options: argparse.Namespace, model: LoadedModel) -> str:
    """How many atoms are at the same place as on the CPU: as it runs, and in 32 bits."""
    trace, chunk = read(write_system(options.work, 1, LENGTH, COMPARED_FRAMES), COMPARED_FRAMES)
    expected = LoadedModel.from_pretrained(options.weights, device="cpu").sample(
        trace, chunk, BackmapOptions()
    )
    present = slot_mask()[trace.residue_types]
    parts = []
    for label, bf16 in (("as it runs", None), ("in 32 bits", False)):
        with patch("torch.cuda.is_bf16_supported", torch.cuda.is_bf16_supported if bf16 is None else no_bf16):
            atoms = model.sample(trace, chunk, BackmapOptions())
        distance = np.linalg.norm(atoms - expected, axis=-1)[:, :, present]
        parts.append(f"{100 * (distance < AGREEMENT).mean():.2f} % {label}")
    return f"Atoms within {AGREEMENT} Å of those of the CPU: " + ", ".join(parts)


def no_bf16() -> bool:
    return False


def read(inputs: tuple[Path, Path], frames: int) -> tuple[CGTrace, FrameChunk]:
    """The first frames of a system."""
    source = open_source([inputs[1]], inputs[0])
    return source.trace, next(iter(source.chunks(frames)))


def measure_sample(model: LoadedModel, inputs: tuple[Path, Path], samples: int) -> SampleCost:
    """Build some blocks, after one that is not timed."""
    trace, chunk = read(inputs, 1)
    block = model.frames_per_block(len(trace))
    model.sample(trace, chunk, BackmapOptions())
    trace, chunk = read(inputs, max(1, BLOCKS // samples) * block)
    options = BackmapOptions(samples=samples)
    is_gpu = torch.device(model.device).type == "cuda"
    if is_gpu:
        torch.cuda.reset_peak_memory_stats(model.device)
    with counted_waits(is_gpu) as waits:
        started = time.perf_counter()
        model.sample(trace, chunk, options)
        seconds = time.perf_counter() - started
    if not is_gpu:
        return SampleCost(len(chunk) * samples * len(trace) / seconds, None, None)
    blocks = math.ceil(len(chunk) / block) * samples
    peak = torch.cuda.max_memory_allocated(model.device) / 1e9
    return SampleCost(len(chunk) * samples * len(trace) / seconds, len(waits) / blocks, peak)


@contextmanager
def counted_waits(is_gpu: bool) -> Iterator[list[warnings.WarningMessage]]:
    """Collect one warning for each operation for which the host waits on the device."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if is_gpu:
            torch.cuda.set_sync_debug_mode("warn")
        try:
            yield caught
        finally:
            if is_gpu:
                torch.cuda.set_sync_debug_mode("default")


def show(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}"


if __name__ == "__main__":
    main()
