"""What is wrong with the geometry of each frame, as plain counts."""

from __future__ import annotations

import numpy as np

from latcpb_cli.metrics.stereo import StereoChecker
from latcpb_cli.structure import CGTrace

__all__ = ["DEFECTS", "frame_defects"]

DEFECTS = (
    "d_residues",
    "inverted_cb",
    "cis_non_proline",
    "peptide_bonds",
    "bonds",
    "angles",
    "omega",
    "ramachandran_outliers",
)
"""What `StereoChecker.marks` finds and is 0 in a sound structure, or nearly (rings: see the clashes)."""


def frame_defects(
    trace: CGTrace, atoms: np.ndarray, present: np.ndarray, linked: np.ndarray
) -> list[dict[str, int]]:
    """Count the defects of some frames, each by itself.

    Parameters
    ----------
    trace : CGTrace
    atoms : numpy.ndarray, shape (F, L, 15, 3)
        In Å.
    present : numpy.ndarray of bool, shape (L, 15)
    linked : numpy.ndarray of bool, shape (F, L)
        Whether a peptide joins residue i to i+1.

    Returns
    -------
    list of dict of str to int
        By the names in ``DEFECTS``, one dictionary for each frame.
    """
    checker = StereoChecker(trace.residue_types, present, trace.chain_index)
    marks = checker.marks(atoms, linked)
    counts = {name: np.sum(marks[name][0] & marks[name][1], axis=1) for name in DEFECTS}
    return [{name: int(count[frame]) for name, count in counts.items()} for frame in range(len(atoms))]
