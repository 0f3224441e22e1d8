"""One structure, measured alone and against its reference, frames read in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.choices import Superpose
from latcpb_cli.errors import InputError
from latcpb_cli.evaluation.bead_reference import BeadReference
from latcpb_cli.evaluation.comparison import Comparison, MatchedPair, inner_of_reference
from latcpb_cli.evaluation.matching import LabelledTrace, match_residues
from latcpb_cli.evaluation.records import AtomFrames
from latcpb_cli.evaluation.structure_measures import StructureMeasures
from latcpb_cli.evaluation.superpose import displacement_note
from latcpb_cli.evaluation.torsion_distributions import TorsionDistributions

__all__ = ["MeasuredStructure", "StructureInput", "compare_structure", "measure_structure"]

RESIDUES_AT_ONCE = 20_000
"""Residues of all frames and samples that are measured at once, to bound memory."""
Advance = Callable[[int], None]
"""Is called with the number of frames that were done."""


@dataclass(frozen=True, eq=False)
class StructureInput:
    """A structure to evaluate.

    Attributes
    ----------
    name : str
        Structures of two columns with one name belong together.
    label : str
        How messages call it, for instance the path of its file.
    files : tuple of str
        What it is read from, the topology first.
    atoms : AtomFrames
    numbers : numpy.ndarray of int64, shape (F,)
        Numbers of the frames in the file.
    left_out : dict of str to int
        Residues that are no part of it, counted by residue name.
    notes : tuple of str
    beads : BeadReference or None
        Coarse-grained beads that the structure should have.
    """

    name: str
    label: str
    files: tuple[str, ...]
    atoms: AtomFrames
    numbers: Int[np.ndarray, "F"]
    left_out: dict[str, int]
    notes: tuple[str, ...] = ()
    beads: BeadReference | None = None


@dataclass(frozen=True, eq=False)
class MeasuredStructure:
    """What was measured of a structure.

    Attributes
    ----------
    source : StructureInput
    samples : int
        Samples of each frame; 1 without a reference and without beads.
    measures : StructureMeasures
    pair : MatchedPair or None
        None without a reference.
    comparison : Comparison or None
        None where frames cannot be compared one by one.
    distributions : TorsionDistributions or None
    notes : tuple of str
    """

    source: StructureInput
    samples: int
    measures: StructureMeasures
    pair: MatchedPair | None = None
    comparison: Comparison | None = None
    distributions: TorsionDistributions | None = None
    notes: tuple[str, ...] = ()


def measure_structure(source: StructureInput, advance: Advance) -> MeasuredStructure:
    """Measure a structure that is compared with nothing.

    Raises
    ------
    InputError
        A frame cannot be read.
    """
    measures = StructureMeasures(
        source.atoms, 1 if source.beads is None else source.beads.samples, source.beads
    )
    for start, stop in _chunks(len(source.atoms), len(source.atoms.trace)):
        measures.add(start, source.atoms.read(start, stop))
        advance(stop - start)
    measures.finish()
    notes = (*source.notes, *measures.bead_notes(source.label))
    return MeasuredStructure(source, measures.samples, measures, notes=notes)


def compare_structure(
    source: StructureInput,
    reference: StructureInput,
    samples: int | None,
    superposed: Superpose,
    advance: Advance,
) -> MeasuredStructure:
    """Measure a structure, and compare it with its reference.

    Parameters
    ----------
    source, reference : StructureInput
    samples : int or None
        Generated frames for each frame of the reference, one after the other; None
        compares the distributions alone where the numbers of frames differ.
    superposed : {'none', 'chain', 'frame'}
    advance : callable

    Raises
    ------
    InputError
        The residues do not match, or the numbers of frames do not fit to ``samples``.
    """
    matching = match_residues(_labelled(reference), _labelled(source))
    pair = MatchedPair.from_matching(reference.atoms, source.atoms, matching)
    notes = [*source.notes, *matching.notes]
    paired = _are_paired(reference, source, samples, notes)
    measures = StructureMeasures(source.atoms, (samples or 1) if paired else 1, source.beads)
    if not paired:
        distributions = TorsionDistributions(pair.trace.residue_types, 1)
        _measure_apart(pair, measures, distributions, advance)
        notes += measures.bead_notes(source.label)
        return MeasuredStructure(source, 1, measures, pair, None, distributions, tuple(notes))
    comparison = Comparison(pair, samples or 1, superposed)
    _measure_together(pair, measures, comparison, advance)
    notes += measures.bead_notes(source.label)
    if note := _displacement(pair, source.label, samples or 1, superposed):
        notes.append(note)
    return MeasuredStructure(
        source, samples or 1, measures, pair, comparison, comparison.distributions, tuple(notes)
    )


def _labelled(source: StructureInput) -> LabelledTrace:
    return LabelledTrace(source.label, source.atoms.trace, source.atoms.read(0, 1)[0, :, CA_SLOT])


def _are_paired(
    reference: StructureInput, source: StructureInput, samples: int | None, notes: list[str]
) -> bool:
    """Whether frames can be compared one by one; add a note where they cannot."""
    frames, generated = len(reference.atoms), len(source.atoms)
    if generated == frames * (samples or 1):
        return True
    ratio, rest = divmod(generated, frames)
    hint = f"if these are {ratio} samples of each frame: --samples {ratio}" if not rest and ratio > 1 else ""
    counts = f"{reference.label} has {frames} frame{'' if frames == 1 else 's'}, {source.label} {generated}"
    if samples is not None:
        raise InputError(
            f"{reference.label} has {frames} frames, so {source.label} should have {frames * samples} "
            f"({samples} per frame); it has {generated}",
            hint or "both files must hold the same frames; without --samples, distributions are compared",
        )
    notes.append(f"{counts}: only distributions are compared" + (f" ({hint})" if hint else ""))
    return False


def _measure_together(
    pair: MatchedPair, measures: StructureMeasures, comparison: Comparison, advance: Advance
) -> None:
    """Measure and compare frame by frame."""
    samples = comparison.samples
    for start, stop in _chunks(len(pair.reference), len(pair.reference.trace) * samples):
        reference = pair.reference.read(start, stop)
        generated = pair.generated.read(start * samples, stop * samples)
        measures.add(start * samples, generated)
        comparison.add(
            reference[:, pair.matching.reference],
            generated[:, pair.matching.generated],
            inner_of_reference(pair, reference),
        )
        advance(len(generated))
    measures.finish()


def _measure_apart(
    pair: MatchedPair, measures: StructureMeasures, distributions: TorsionDistributions, advance: Advance
) -> None:
    """Measure the frames of both, which do not belong together."""
    for start, stop in _chunks(len(pair.reference), len(pair.reference.trace)):
        atoms = pair.reference.read(start, stop)[:, pair.matching.reference]
        distributions.add_reference(pair.torsions(atoms))
    for start, stop in _chunks(len(pair.generated), len(pair.generated.trace)):
        atoms = pair.generated.read(start, stop)
        measures.add(start, atoms)
        distributions.add_generated(pair.torsions(atoms[:, pair.matching.generated]))
        advance(stop - start)
    measures.finish()


def _displacement(pair: MatchedPair, label: str, samples: int, superposed: Superpose) -> str:
    """Describe Cα that are elsewhere than in the reference, in the first, middle and last frame."""
    frames = sorted({0, len(pair.reference) // 2, len(pair.reference) - 1})
    target = [pair.reference.read(f, f + 1)[:, pair.matching.reference, CA_SLOT] for f in frames]
    moving = [
        pair.generated.read(f * samples, f * samples + 1)[:, pair.matching.generated, CA_SLOT] for f in frames
    ]
    return displacement_note(label, np.concatenate(moving), np.concatenate(target), superposed)


def _chunks(n_frames: int, residues_each: int) -> Iterator[tuple[int, int]]:
    """Yield the first frame of each chunk, and the one after its last."""
    size = max(1, RESIDUES_AT_ONCE // residues_each)
    for start in range(0, n_frames, size):
        yield start, min(start + size, n_frames)
