"""How near the answers are to crystal structures, from their Cα alone: ours, and those of other programs.

    python benchmarks/accuracy.py DATA                      our model only
    python benchmarks/accuracy.py DATA --work FOLDER        with the peers, installed and run in FOLDER
    python benchmarks/accuracy.py DATA --work FOLDER --methods latcpb,pulchra,native --chains 20
    python benchmarks/accuracy.py DATA --work FOLDER --ensemble drkN_unfolded_gmx

Every program is given a plain Cα PDB of each chain; the PDB that it writes is read back and compared
with the native one by the same code. What the peers made stays in FOLDER, so that a run that was
stopped goes on. The table is printed as Markdown; --out NAME writes NAME.md and NAME.json.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from arguments import measurement_parser
from chains import reference_chains, reference_frames
from methods import METHODS, Built, Method, build
from programs import PEERS, ProgramError, command, own_program
from report import Column, markdown, sections
from tables import measure
from workers import Worker

from latcpb_cli.hub import resolve_weights
from latcpb_cli.structure import AtomStructure

FRAMES = 20


def main() -> None:
    options = _options()
    files = resolve_weights(options.weights)
    chains = _chains(options)
    methods = options.methods or [one for one in METHODS.values() if options.work or not one.peers]
    with ExitStack() as stack:
        folder = options.work or Path(stack.enter_context(TemporaryDirectory()))
        columns = measure_all(methods, chains, _workers(options, folder, stack), options.slow_chains)
    residues = {number: len(reference.trace) for number, reference in chains.items()}
    facts = {
        "weights": files.name,
        "sha256": files.sha256,
        "structures": options.ensemble or options.split,
        "threads": torch.get_num_threads(),
        "cores": len(os.sched_getaffinity(0)),
        "samples in ensemble mode": options.samples,
        "peers": ", ".join(sorted({PEERS[name].label for one in methods for name in one.peers})) or "none",
    }
    tables = sections(columns, residues)
    text = markdown(facts, tables, columns)
    print(text)
    if options.out is not None:
        failures = {column.name: column.failures for column in columns if column.failures}
        content = {**facts, "tables": tables, "failures": failures}
        options.out.with_suffix(".json").write_text(json.dumps(content, indent=1) + "\n")
        options.out.with_suffix(".md").write_text(text)


def _options() -> argparse.Namespace:
    parser = measurement_parser(__doc__)
    parser.add_argument("--device", default="cpu", help="where our model runs")
    parser.add_argument("--samples", type=int, default=2, help="structures per chain in ensemble mode")
    parser.add_argument("--chains", type=int, help="only so many chains, the shortest (or frames, see below)")
    parser.add_argument(
        "--ensemble", metavar="ID", help=f"{FRAMES} frames of this ensemble instead of chains"
    )
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="environments and results of the peers")
    parser.add_argument("--methods", type=_methods, help=f"columns of the table: {','.join(METHODS)}")
    parser.add_argument(
        "--slow-chains",
        type=int,
        default=10,
        help="chains for the slow peers (%(default)s, the shortest)",
    )
    parser.add_argument("--out", type=Path, metavar="NAME")
    options = parser.parse_args()
    if options.work is None and any(method.peers for method in options.methods or ()):
        parser.error("peers need a folder: --work FOLDER")
    return options


def _methods(text: str) -> list[Method]:
    names = text.split(",")
    if unknown := [name for name in names if name not in METHODS]:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)} not among {', '.join(METHODS)}")
    return [METHODS[name] for name in names]


def _chains(options: argparse.Namespace) -> dict[int, AtomStructure]:
    """The natives by their number in the data, the shortest first."""
    if options.ensemble:
        given = reference_frames(options.data, options.ensemble, options.chains or FRAMES)
    else:
        given = reference_chains(options.data, options.split)
    found = enumerate(reference for _, reference, _ in given)
    ordered = sorted(found, key=lambda pair: len(pair[1].trace))
    return dict(ordered[: options.chains])


def _workers(options: argparse.Namespace, folder: Path, stack: ExitStack) -> Callable[[str], Worker]:
    """A function that gives the worker of a program by name, each made once."""
    settings = {"weights": options.weights or "", "device": options.device}
    programs = {
        **PEERS,
        "latcpb": own_program(**settings),
        "latcpb-ensemble": own_program(**settings, mode="ensemble", samples=str(options.samples)),
    }
    fresh = Path(stack.enter_context(TemporaryDirectory()))
    workers: dict[str, Worker] = {}

    def worker(name: str) -> Worker:
        if name not in workers:
            program = programs[name]
            place = folder / "results" / program.label if program.version else fresh / name
            start = partial(command, program, folder / "environments")
            workers[name] = stack.enter_context(Worker(start, place))
        return workers[name]

    return worker


def measure_all(
    methods: list[Method],
    chains: dict[int, AtomStructure],
    worker: Callable[[str], Worker],
    slow_chains: int,
) -> list[Column]:
    """Rebuild and compare every chain by every method; what fails is noted and passed over.

    Slow methods get the first ``slow_chains`` only.
    """
    known: dict[int, dict[str, Built]] = {number: {} for number in chains}
    columns = []
    for method in methods:
        column = Column(method.name, method.label)
        for number in list(chains)[: slow_chains if method.slow else None]:
            try:
                built = build(method, chains[number], worker, known[number])
            except ProgramError as error:
                column.failures[number] = error.message
                continue
            column.measured[number] = measure(chains[number], built.structure, samples=len(built.structure))
            column.costs[number] = built.costs
        print(f"{method.label}: {len(column.measured)} chains", file=sys.stderr, flush=True)
        columns.append(column)
    return columns


if __name__ == "__main__":
    main()
