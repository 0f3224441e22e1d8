"""Accuracy of structures rebuilt from their Cα alone, against the natives, by latcpb and other programs.

    python benchmarks/accuracy.py DATA                      latcpb only
    python benchmarks/accuracy.py DATA --set casp14         CASP14 targets, with published figures of packers
    python benchmarks/accuracy.py DATA --set complexes      complexes, and χ1 at their interfaces
    python benchmarks/accuracy.py DATA --ladder             the paper's method alone, then part after part
    python benchmarks/accuracy.py DATA --work FOLDER        with the peers, installed and run in FOLDER
    python benchmarks/accuracy.py DATA --work FOLDER --methods latcpb,pulchra,native --chains 20
    python benchmarks/accuracy.py DATA --work FOLDER --ensemble drkN_unfolded_gmx

Every program gets a plain Cα PDB of each structure; the PDB that it writes is read back and compared with the
native one by the same code. The output of peers stays in FOLDER, so that an interrupted run goes on. Slow
columns (some peers, the exact sampler) are run on the shortest structures only; a second table then holds all
columns on these. The main figures have intervals, from a bootstrap over structures. The tables are printed as
Markdown; --out NAME writes NAME.md and NAME.json.
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
from typing import Any

import torch
from arguments import measurement_parser
from casp14 import published_lines
from interfaces import interface_lines, interface_sections, single_chains
from methods import LADDER, METHODS, Method, Reconstruction, reconstruct
from programs import PEERS, ProgramError, command, configured
from reference_sets import SETS, ReferenceSet, load_frames, load_set
from report import Column, markdown, sections
from tables import compare
from workers import Worker

from latcpb_cli.hub import resolve_weights
from latcpb_cli.structure import AtomStructure

FRAMES = 20


def main() -> None:
    options = parse_options()
    references = load_references(options)
    with ExitStack() as stack:
        folder = options.work or Path(stack.enter_context(TemporaryDirectory()))
        workers = open_workers(options, folder, stack)
        columns = measure_all(options.methods, references.natives, workers, options.slow_chains)
        interfaces = measure_interfaces(references, columns, options, workers)
    residues = {name: len(native.trace) for name, native in references.natives.items()}
    facts, tables = run_facts(options, references), sections(columns, residues)
    text = markdown(facts, tables, columns)
    if interfaces:
        text += "\n".join([*interface_lines(interfaces, columns), ""])
    if options.set == "casp14" and not options.ensemble:
        text += "\n".join([*published_lines(), ""])
    print(text)
    if options.out is not None:
        failures = {column.name: column.failures for column in columns if column.failures}
        content = {**facts, "tables": tables, "interfaces": interfaces, "failures": failures}
        options.out.with_suffix(".json").write_text(json.dumps(content, indent=1) + "\n")
        options.out.with_suffix(".md").write_text(text)


def parse_options() -> argparse.Namespace:
    parser = measurement_parser(__doc__, sets=SETS)
    parser.add_argument("--device", default="cpu", help="where latcpb runs")
    parser.add_argument("--samples", type=int, default=2, help="samples per structure in modes that sample")
    parser.add_argument("--chains", type=int, help="only the N shortest structures (or N frames, see below)")
    parser.add_argument("--ensemble", metavar="ID", help=f"{FRAMES} frames of this ensemble instead of a set")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="environments and results of the peers")
    columns = parser.add_mutually_exclusive_group()
    columns.add_argument("--methods", type=parse_methods, help=f"columns: {','.join(METHODS)}")
    columns.add_argument("--ladder", action="store_true", help=f"these columns: {','.join(LADDER)}")
    parser.add_argument(
        "--slow-chains",
        type=int,
        default=10,
        metavar="N",
        help="structures for slow columns (%(default)s, the shortest)",
    )
    parser.add_argument("--out", type=Path, metavar="NAME")
    options = parser.parse_args()
    if options.work is None and any(method.peers for method in options.methods or ()):
        parser.error("peers need a folder: --work FOLDER")
    if options.ladder:
        options.methods = list(LADDER.values())
    elif options.methods is None:
        options.methods = [method for method in METHODS.values() if options.work or not method.peers]
    return options


def parse_methods(text: str) -> list[Method]:
    names = text.split(",")
    if unknown := [name for name in names if name not in METHODS]:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)} not among {', '.join(METHODS)}")
    return [METHODS[name] for name in names]


def load_references(options: argparse.Namespace) -> ReferenceSet:
    if options.ensemble:
        return load_frames(options.data, options.ensemble, options.chains or FRAMES)
    return load_set(options.data, options.set, options.chains)


def open_workers(options: argparse.Namespace, folder: Path, stack: ExitStack) -> Callable[[str], Worker]:
    """Return a function that returns the worker of a program by name, each created once."""
    temporary = Path(stack.enter_context(TemporaryDirectory()))
    workers: dict[str, Worker] = {}

    def worker(name: str) -> Worker:
        if name not in workers:
            program = configured(
                name, weights=options.weights or "", device=options.device, samples=options.samples
            )
            results = folder / "results" / program.label if program.version else temporary / name
            start = partial(command, program, folder / "environments")
            workers[name] = stack.enter_context(Worker(start, results))
        return workers[name]

    return worker


def measure_all(
    methods: list[Method],
    natives: dict[str, AtomStructure],
    worker: Callable[[str], Worker],
    slow_chains: int,
) -> list[Column]:
    """Rebuild and compare every structure by every method; failures are recorded in their column.

    Slow methods get the first ``slow_chains`` only.
    """
    caches: dict[str, dict[str, Reconstruction]] = {name: {} for name in natives}
    columns = []
    for method in methods:
        column = Column(method.name, method.label)
        for name in list(natives)[: slow_chains if method.slow else None]:
            try:
                built = reconstruct(method, natives[name], worker, caches[name])
            except ProgramError as error:
                column.failures[name] = error.message
                continue
            column.comparisons[name] = compare(natives[name], built.structure, samples=len(built.structure))
            column.costs[name] = built.costs
        print(f"{method.label}: {len(column.comparisons)} structures", file=sys.stderr, flush=True)
        columns.append(column)
    return columns


def measure_interfaces(
    references: ReferenceSet,
    columns: list[Column],
    options: argparse.Namespace,
    worker: Callable[[str], Worker],
) -> list[dict[str, Any]]:
    """Rebuild each chain of complexes by itself, and return the figures of interfaces.

    Chains on which a method fails are added to its column.
    """
    if not references.complexes:
        return []
    natives = single_chains(references.complexes)
    slow = len(single_chains(references.complexes[: options.slow_chains]))
    withheld = measure_all(options.methods, natives, worker, slow)
    for column, apart in zip(columns, withheld, strict=True):
        column.failures |= apart.failures
    return interface_sections(references.complexes, natives, columns, withheld)


def run_facts(options: argparse.Namespace, references: ReferenceSet) -> dict[str, Any]:
    """Collect what the figures depend on, for the first line of the report."""
    files = resolve_weights(options.weights)
    peers = sorted({PEERS[name].label for method in options.methods for name in method.peers})
    return {
        "weights": files.name,
        "sha256": files.sha256,
        "set": references.description,
        "threads": torch.get_num_threads(),
        "cores": len(os.sched_getaffinity(0)),
        "samples in modes that sample": options.samples,
        "peers": ", ".join(peers) or "none",
    }


if __name__ == "__main__":
    main()
