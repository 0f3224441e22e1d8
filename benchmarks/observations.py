"""Scores of rebuilt chains, and what came true of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from chains import Reference

from latcpb_cli.chem.residues import slot_mask
from latcpb_cli.confidence.collector import PredictionCollector
from latcpb_cli.confidence.scores import Scores, has_chi
from latcpb_cli.geometry.angles import angle_difference
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.metrics.accuracy import ATOM_SETS, CHI_TOLERANCE, squared_deviation
from latcpb_cli.metrics.torsions import TORSION_NAMES, chi_periods, measure_torsions
from latcpb_cli.options import BackmapOptions
from latcpb_cli.structure import AtomStructure

__all__ = ["Observations", "observe"]

_FIRST_CHI = TORSION_NAMES.index("chi1")
_SEED = 0


@dataclass(frozen=True, eq=False)
class Observations:
    """N residues of rebuilt chains, one after another.

    Attributes
    ----------
    types : (N,)
        Residue types.
    scores : Scores
        Arrays (1, 1, N, ...).
    chi_right : (N, 4)
        1 where chi 1 to k are all within 40 degrees of the native ones, else 0; NaN without chi k.
    backbone_error, side_chain_error : (N,)
        Root mean square deviation from the native atoms, Å; NaN where one of them is missing.
    """

    types: np.ndarray
    scores: Scores
    chi_right: np.ndarray
    backbone_error: np.ndarray
    side_chain_error: np.ndarray


def observe(
    backmapper: LoadedModel, references: Iterable[Reference], options: BackmapOptions, noise: float = 0.0
) -> Observations:
    """Rebuild chains from their Cα, with Gaussian noise (Å, per axis) on these, and compare."""
    rng = np.random.default_rng(_SEED)
    rows = []
    for _, native, chunk in references:
        chunk.positions[...] += noise * rng.normal(size=chunk.positions.shape).astype(np.float32)
        predictions = PredictionCollector()
        atoms = backmapper.sample(native.trace, chunk, options, predictions=predictions)
        scores = predictions.scores(native.trace, atoms)
        for sample in range(options.samples):
            structure = atoms[0, sample][None]
            rows.append(
                (
                    native.trace.residue_types,
                    scores.chi[0, sample],
                    scores.backbone[0, sample],
                    _chi_right(native, structure),
                    *(_errors(native, structure, name) for name in ("backbone", "side_chain")),
                )
            )
    types, chi, backbone, *truth = (np.concatenate(column) for column in zip(*rows, strict=True))
    return Observations(types, Scores(chi[None, None], backbone[None, None]), *truth)


def _chi_right(native: AtomStructure, atoms: np.ndarray) -> np.ndarray:
    """See `Observations`, for atoms (1, L, 15, 3)."""
    types, linked = native.trace.residue_types, native.linked()
    expected, given = (
        measure_torsions(types, structure, native.present, linked)[0, :, _FIRST_CHI:]
        for structure in (native.atoms, atoms)
    )
    difference = angle_difference(expected, given, chi_periods()[types])
    right = np.where(difference <= CHI_TOLERANCE, 1.0, 0.0 * difference)
    return np.cumprod(np.where(has_chi(types), right, np.nan), axis=-1)


def _errors(native: AtomStructure, atoms: np.ndarray, atom_set: str) -> np.ndarray:
    """Root mean square deviation of some atoms of each residue, Å."""
    types, present = native.trace.residue_types, native.present
    chosen = present & ATOM_SETS[atom_set]
    squares = np.where(chosen, squared_deviation(types, native.atoms, atoms, present)[0], 0.0)
    expected = slot_mask()[types] & ATOM_SETS[atom_set]
    complete = (chosen == expected).all(-1) & expected.any(-1)
    return np.where(complete, np.sqrt(squares.sum(-1) / np.maximum(expected.sum(-1), 1)), np.nan)
