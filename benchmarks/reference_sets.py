"""The sets of structures that accuracy is measured on, by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import casp14
from chains import reference_chains, reference_frames, references
from complexes import Complex, load_complexes

from latcpb_cli.structure import AtomStructure
from latcpb_cli.train.structures import Structure

__all__ = ["SETS", "ReferenceSet", "load_frames", "load_set"]

SETS = ("valid", "heldout", "casp14", "complexes")


@dataclass(frozen=True, eq=False)
class ReferenceSet:
    """Native structures by their name, the shortest first.

    Attributes
    ----------
    description : str
        What they are, for the report.
    natives : dict of str to AtomStructure
    complexes : list of Complex
        The same structures with their chains and interfaces; empty for other sets.
    """

    description: str
    natives: dict[str, AtomStructure]
    complexes: list[Complex]


def load_set(data: Path, name: str, limit: int | None) -> ReferenceSet:
    """Load one of the `SETS`, or the shortest of its structures, up to a limit."""
    if name == "casp14":
        return ReferenceSet(casp14.DESCRIPTION, _natives(casp14.load_targets(data), limit), [])
    if name == "complexes":
        complexes = sorted(load_complexes(data), key=lambda each: len(each.structure))[:limit]
        natives = _natives(((each.name, each.structure) for each in complexes), limit)
        return ReferenceSet("complexes (all chains as one system)", natives, complexes)
    chains = ((str(number), chain) for number, (chain, *_) in enumerate(reference_chains(data, name)))
    return ReferenceSet(name, _natives(chains, limit), [])


def load_frames(data: Path, ensemble: str, frames: int) -> ReferenceSet:
    """Load some frames of an ensemble, evenly spaced."""
    numbered = enumerate(native for _, native, _ in reference_frames(data, ensemble, frames))
    return ReferenceSet(ensemble, {str(number): native for number, native in numbered}, [])


def _natives(structures: Iterable[tuple[str, Structure]], limit: int | None) -> dict[str, AtomStructure]:
    ordered = sorted(structures, key=lambda named: len(named[1]))[:limit]
    natives = (native for _, native, _ in references(structure for _, structure in ordered))
    return {name: native for (name, _), native in zip(ordered, natives, strict=True)}
