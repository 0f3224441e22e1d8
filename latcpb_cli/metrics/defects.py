"""Number of geometric defects of each frame."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from latcpb_cli.metrics.stereo import StereoChecker
from latcpb_cli.metrics.torsions import measure_torsions
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
"""Results of `StereoChecker.check` that are 0, or nearly, in a sound structure.

Pierced rings are counted with the clashes.
"""


def frame_defects(
    trace: CGTrace,
    atoms: Float[np.ndarray, "F L 15 3"],
    present: Bool[np.ndarray, "L 15"],
    linked: Bool[np.ndarray, "F L"],
) -> list[dict[str, int]]:
    """Count the defects of each frame.

    Parameters
    ----------
    trace : CGTrace
    atoms : numpy.ndarray, shape (F, L, 15, 3)
        In Å.
    present : numpy.ndarray of bool, shape (L, 15)
    linked : numpy.ndarray of bool, shape (F, L)
        Whether a peptide joins each residue to the next.

    Returns
    -------
    list of dict of str to int
        By the names in ``DEFECTS``, one dictionary for each frame.
    """
    types, next_residue = trace.residue_types, trace.next_residue
    torsions = measure_torsions(types, atoms, present, linked, next_residue, chis=False)  # no defect has chi
    checks = StereoChecker(types, present, trace.chain_index, next_residue).check(atoms, linked, torsions)
    counts = {name: np.sum(checks[name].hit & checks[name].mask, axis=1) for name in DEFECTS}
    return [{name: int(count[frame]) for name, count in counts.items()} for frame in range(len(atoms))]
