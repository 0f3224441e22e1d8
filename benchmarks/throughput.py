"""Speed and memory of latcpb and of other programs on the same synthetic inputs.

    python benchmarks/throughput.py --work FOLDER --out throughput        all sweeps, peers included
    python benchmarks/throughput.py --work FOLDER --sweeps frames --frames 2000,10000
    python benchmarks/throughput.py --work FOLDER --quick                 a minute, as a check of the script

Sweeps: cold (one protein of 100 residues, from the start of the process), residues (one frame of growing
size), alone (one frame of 1,000 residues with one thread, and a trajectory of such frames, in turns), frames
(100 residues each), backbones (the same with --keep-backbone, in turns), models (the same with each model of
the package, in turns), samples, threads, workers, and peers (files of one frame of 100 residues; latcpb
builds the same frames as a trajectory).
Residues per second leave out loading; the wall time is that of the whole command. Prints Markdown; --out NAME
writes NAME.md, NAME.json and NAME.png (with matplotlib).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from programs import PEERS
from sweeps import LENGTH, SWEEPS, Measurement
from systems import write_system
from throughput_plot import plot
from torch.utils.flop_counter import FlopCounterMode

from latcpb_cli import open_source
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.options import BackmapOptions


def main() -> None:
    options = parse_options()
    options.work.mkdir(parents=True, exist_ok=True)
    measurements: list[Measurement] = []
    for sweep in options.sweeps:
        for measurement in SWEEPS[sweep](options):
            measurements.append(measurement)
            print(measurement, file=sys.stderr, flush=True)
    facts = run_facts(options, measurements)
    text = markdown(facts, measurements)
    print(text)
    if options.out is not None:
        rows = [{**asdict(each), "speed": each.speed} for each in measurements]
        options.out.with_suffix(".json").write_text(json.dumps({**facts, "rows": rows}, indent=1) + "\n")
        options.out.with_suffix(".md").write_text(text)
        if not plot(rows, options.out.with_suffix(".png")):
            print("no plot: matplotlib is not installed", file=sys.stderr)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cores = tuple(sorted({1, len(os.sched_getaffinity(0))}))
    parser.add_argument("--work", type=Path, required=True, metavar="FOLDER", help="inputs, outputs, peers")
    parser.add_argument("--out", type=Path, metavar="NAME")
    parser.add_argument("--sweeps", type=parse_names, default=tuple(SWEEPS))
    parser.add_argument("--residues", type=parse_numbers, default=(100, 200, 1000, 4000, 10000, 40000))
    parser.add_argument("--frames", type=parse_numbers, default=(100, 1000))
    parser.add_argument("--samples", type=parse_numbers, default=(2, 4))
    parser.add_argument("--threads", type=parse_numbers, default=cores)
    parser.add_argument("--workers", type=parse_numbers, default=cores)
    parser.add_argument(
        "--sweep-frames",
        type=int,
        default=200,
        help="for threads and workers; half of it for alone, a tenth for samples",
    )
    parser.add_argument(
        "--fast-frames", type=int, default=200, help="for the other peers, and latcpb beside them"
    )
    parser.add_argument(
        "--slow-frames", type=int, default=2, help="for cgback and the Python port of pulchra"
    )
    parser.add_argument("--peers", type=parse_names, default=tuple(PEERS))
    parser.add_argument("--quick", action="store_true", help="small numbers everywhere")
    parser.add_argument("--weights")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--peak-tflops", type=float, help="of the device, to print the fraction of it in use")
    options = parser.parse_args()
    if options.quick:
        options.residues, options.frames, options.samples = (100, 400), (10, 20), (2,)
        options.threads = options.workers = (1,)
        options.sweep_frames, options.fast_frames, options.slow_frames = 10, 10, 1
    return options


def parse_numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def parse_names(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def run_facts(options: argparse.Namespace, measurements: list[Measurement]) -> dict[str, object]:
    """Collect what the figures depend on, for the first line of the report."""
    operations = operations_per_residue(options)
    facts: dict[str, object] = {
        "cores": len(os.sched_getaffinity(0)),
        "device": options.device,
        "weights": options.weights or "default",
        "matrix operations per residue": f"{operations / 1e6:.1f} million",
    }
    speeds = [each.speed for each in measurements if each.program == "latcpb"]
    if options.peak_tflops is not None and speeds:
        percentage = 100 * operations * max(speeds) / (options.peak_tflops * 1e12)
        facts["percentage of the peak"] = f"{percentage:.2f} %"
    return facts


def operations_per_residue(options: argparse.Namespace) -> float:
    """Additions and multiplications in the matrix products of best mode, without relief."""
    top, trajectory = write_system(options.work, 1, LENGTH, 1)
    source = open_source([trajectory], top)
    backmapper = LoadedModel.from_pretrained(options.weights, device="cpu")
    onednn = getattr(torch.ops.mkldnn, "_linear_pointwise", None)  # which not every build of torch has
    uncounted = {} if onednn is None else {onednn: linear_operations}
    with FlopCounterMode(display=False, custom_mapping=uncounted) as counter:
        for chunk in source.chunks(1):
            backmapper.sample(source.trace, chunk, BackmapOptions())
    return float(counter.get_total_flops() / LENGTH)


def linear_operations(x: Sequence[int], weight: Sequence[int], *_: object, **__: object) -> int:
    """Additions and multiplications of a linear layer, from the shapes of its input and weights."""
    return 2 * math.prod(x) * weight[0]


def markdown(facts: dict[str, object], measurements: list[Measurement]) -> str:
    """Format one table with a row for each measurement."""
    header = ["sweep", "", "program", "residues", "residues/s", "seconds", "wall, s", "peak, MB", "note"]
    lines = [
        ", ".join(f"{name}: {value}" for name, value in facts.items()),
        "",
        "| " + " | ".join(header) + " |",
    ]
    lines.append("|---|---:|---|" + "---:|" * 5 + "---|")
    for row in measurements:
        cells = (
            row.sweep, f"{row.value:,}", row.program, f"{row.residues:,}", f"{row.speed:,.0f}",
            f"{row.seconds:.2f}", f"{row.wall:.2f}", f"{row.peak_mb:,.0f}", row.note,
        )  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
