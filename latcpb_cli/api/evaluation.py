"""Structures against a reference, from Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

from latcpb_cli.api.backmapped import Backmapped
from latcpb_cli.api.inputs import Frames, as_paths, open_memory
from latcpb_cli.api.inspection import InputSummary
from latcpb_cli.api.settings import frame_window
from latcpb_cli.choices import Superpose
from latcpb_cli.errors import UsageError
from latcpb_cli.evaluation.bead_reference import BeadReference
from latcpb_cli.evaluation.evaluate import MethodInput
from latcpb_cli.evaluation.evaluate import evaluate as evaluate_columns
from latcpb_cli.evaluation.inputs import structure_name
from latcpb_cli.evaluation.json_file import json_record
from latcpb_cli.evaluation.measured import StructureInput
from latcpb_cli.evaluation.records import Evaluation
from latcpb_cli.html_report.evaluation_page import evaluation_page
from latcpb_cli.io.all_atom import assemble_atom_source, open_all_atom
from latcpb_cli.io.assemble import NamedFrames
from latcpb_cli.io.readers.frames import Trajectory
from latcpb_cli.read_options import FrameWindow

__all__ = ["EvaluationResult", "evaluate"]


@dataclass(frozen=True, eq=False)
class EvaluationResult:
    """Figures of structures, and of their reference.

    Attributes
    ----------
    evaluation : Evaluation
        Tables of frames and residues, torsions and overlaps of every column.
    """

    evaluation: Evaluation

    @property
    def record(self) -> dict[str, Any]:
        """What ``latcpb evaluate --json`` writes."""
        record: dict[str, Any] = json_record(self.evaluation)
        return record

    def summary(self, method: str | None = None) -> dict[str, Any]:
        """Return the figures of a method by name; of the first method where none is named.

        Raises
        ------
        UsageError
            There is no such method.
        """
        columns = {column.name: column for column in self.evaluation.methods}
        if method is not None and method not in columns:
            raise UsageError(f"there is no method {method!r}", f"choose from {', '.join(columns)}")
        return dict(columns[method or next(iter(columns))].summary)

    def write_report(self, path: str | PathLike[str]) -> None:
        """Write the page of ``latcpb evaluate --report``, replacing the file if it is there."""
        evaluation_page(self.evaluation).write(Path(path))


def evaluate(
    ref: Frames,
    gen: Frames | Mapping[str, Frames] | None = None,
    *,
    ref_top: str | PathLike[str] | None = None,
    gen_top: str | PathLike[str] | None = None,
    samples: int | None = None,
    frames: slice | str | None = None,
    superpose: Superpose = "none",
    beads: InputSummary | None = None,
) -> EvaluationResult:
    """Measure all-atom structures, and compare them with a reference.

    Parameters
    ----------
    ref : path, Universe, AtomGroup, Trajectory or Backmapped
        The reference; or, without ``gen``, the structure whose validity is measured.
    gen : the same, or a mapping of names to several
        What is compared with the reference.
    ref_top, gen_top : path, optional
        Topologies of trajectory files.
    samples : int, optional
        Structures for each frame of the reference, in a row; those of a `Backmapped` are known. Without it,
        only distributions are compared where the numbers of frames differ.
    frames : slice or str, optional
        Which frames of all inputs; all by default.
    superpose : {'none', 'chain', 'frame'}
        What is superposed on the reference before atoms are compared.
    beads : InputSummary, optional
        The coarse-grained input that the structures were built from, as `latcpb_cli.inspect` returns it; the
        distances of beads that are recomputed from the atoms are measured.

    Returns
    -------
    EvaluationResult

    Raises
    ------
    UsageError, InputError
        An input is of another type, cannot be read, or does not match the reference.
    """
    window = frame_window(frames)
    if gen is None:
        alone = _with_beads(_column("structure", ref, ref_top, window, samples), beads)
        return EvaluationResult(evaluate_columns(None, [alone], superpose))
    methods = gen if isinstance(gen, Mapping) else {"generated": gen}
    native = _column("reference", ref, ref_top, window)
    columns = [_with_beads(_column(name, x, gen_top, window, samples), beads) for name, x in methods.items()]
    return EvaluationResult(evaluate_columns(native, columns, superpose))


def _with_beads(method: MethodInput, beads: InputSummary | None) -> MethodInput:
    """Give a structure the beads that it should have, if there are any."""
    if beads is None:
        return method
    (part,) = method.structures
    reference = BeadReference.for_structures(beads.source, part.label, part.atoms, method.samples)
    return replace(method, structures=(replace(part, beads=reference),))


def _column(
    name: str, x: Frames, top: str | PathLike[str] | None, window: FrameWindow, samples: int | None = None
) -> MethodInput:
    """Open one structure or trajectory."""
    paths = as_paths(x)
    if paths is not None:
        if len(paths) > 1:
            raise UsageError(f"{len(paths)} files for {name}", "give one file for each name")
        source = open_all_atom(paths[0], None if top is None else Path(top), window)
        file_name, label = structure_name(paths[0]), str(paths[0])
    else:
        if isinstance(x, Backmapped):
            samples, x = samples or x.run.options.samples, x.universe
        file, file_name, label = open_memory(x), "", name
        given = NamedFrames(file.read_atoms(), Trajectory([file]), Path(name), file)
        source = assemble_atom_source(given, window)
    read = tuple(str(path) for path in source.paths)
    structure = StructureInput(file_name, label, read, source, source.frame_numbers, source.left_out)
    return MethodInput(name, (structure,), samples)
