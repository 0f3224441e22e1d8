"""Methods side by side, with or without a reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from latcpb_cli.choices import Superpose
from latcpb_cli.errors import InputError
from latcpb_cli.evaluation.column import make_column
from latcpb_cli.evaluation.definitions import DEFINITIONS
from latcpb_cli.evaluation.measured import StructureInput, compare_structure, measure_structure
from latcpb_cli.evaluation.records import Column, Evaluation
from latcpb_cli.evaluation.shape_distance import with_shape_distances
from latcpb_cli.structure import AtomStructure

__all__ = ["MethodInput", "evaluate", "evaluate_pair", "from_memory"]


@dataclass(frozen=True, eq=False)
class MethodInput:
    """The structures of a column.

    Attributes
    ----------
    name : str
    structures : tuple of StructureInput
        One, or those of a folder.
    samples : int or None
        Structures for each frame of the reference; None compares distributions alone
        where the numbers of frames differ.
    notes : tuple of str
    failures : tuple of str
        Files of a folder that cannot be read, and why.
    """

    name: str
    structures: tuple[StructureInput, ...]
    samples: int | None = None
    notes: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


def evaluate(
    reference: MethodInput | None,
    methods: Sequence[MethodInput],
    superposed: Superpose = "none",
    advance: Callable[[int], None] = lambda frames: None,
) -> Evaluation:
    """Measure structures, and compare them with a reference.

    Parameters
    ----------
    reference : MethodInput or None
    methods : sequence of MethodInput
        Their structures are matched with those of the reference by name; one
        structure is matched with one structure whatever the names.
    superposed : {'none', 'chain', 'frame'}
        What is superposed on the reference before atoms are compared.
    advance : callable
        Is called with the number of frames that were done.

    Returns
    -------
    Evaluation

    Raises
    ------
    InputError
        A structure cannot be read, or does not match its reference.
    """
    natives = {} if reference is None else {part.name: part for part in reference.structures}
    first_rows = _first_rows(list(natives.values()))
    columns = [_column(method, natives, first_rows, superposed, advance) for method in methods]
    if reference is None:
        return Evaluation(None, tuple(columns), superposed, DEFINITIONS)
    measured = [measure_structure(part, advance) for part in reference.structures]
    own = make_column(reference.name, measured, {}, reference.notes)
    compared = tuple(with_shape_distances(column, own) for column in columns)
    return Evaluation(own, compared, superposed, DEFINITIONS)


def _first_rows(structures: Sequence[StructureInput]) -> dict[str, int]:
    starts = np.cumsum([0, *(len(part.atoms.trace) for part in structures)]).tolist()
    return {part.name: start for part, start in zip(structures, starts, strict=False)}


def _column(
    method: MethodInput,
    natives: Mapping[str, StructureInput],
    first_rows: Mapping[str, int],
    superposed: Superpose,
    advance: Callable[[int], None],
) -> Column:
    if not natives:
        alone = [measure_structure(part, advance) for part in method.structures]
        return make_column(method.name, alone, {}, method.notes, method.failures)
    only = next(iter(natives.values())) if len(natives) == 1 and len(method.structures) == 1 else None
    if only is not None:
        first_rows = {method.structures[0].name: 0}
    measured, failures = [], list(method.failures)
    for part in method.structures:
        native = only or natives.get(part.name)
        if native is None:
            raise InputError(f"{part.label} has no reference of the same name")
        try:
            measured.append(compare_structure(part, native, method.samples, superposed, advance))
        except InputError as error:
            if len(method.structures) == 1:
                raise
            failures.append(error.message)
    if not measured:
        raise InputError(f"{method.name}: no structure can be evaluated: {failures[0]}")
    return make_column(method.name, measured, first_rows, method.notes, tuple(failures))


def from_memory(structure: AtomStructure, label: str) -> StructureInput:
    """Make an input of a structure in memory."""
    return StructureInput("", label, (), structure, np.arange(len(structure)), structure.left_out)


def evaluate_pair(
    reference: AtomStructure,
    generated: AtomStructure,
    samples: int | None = 1,
    names: tuple[str, str] = ("reference", "generated"),
    superposed: Superpose = "none",
) -> Evaluation:
    """Compare a structure in memory with its reference.

    Parameters
    ----------
    reference : AtomStructure
        F frames.
    generated : AtomStructure
        F x ``samples`` frames, the samples of a frame one after the other.
    samples : int or None
        Samples per frame; None compares distributions alone where the numbers of frames differ.
    names : tuple of str
        Names of the two structures in messages.
    superposed : {'none', 'chain', 'frame'}

    Raises
    ------
    InputError
        The residues or the numbers of frames do not match.
    """
    native = MethodInput(names[0], (from_memory(reference, names[0]),))
    method = MethodInput(names[1], (from_memory(generated, names[1]),), samples)
    return evaluate(native, [method], superposed)
