"""Which side chains of an output are those of its templates, for the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from latcpb_cli.chem.residues import N_SLOTS
from latcpb_cli.chem.rotamers import rotamer_indices
from latcpb_cli.metrics.torsions import TORSION_NAMES, measure_torsions
from latcpb_cli.structure import AtomTopology, CGTrace, FrameChunk
from latcpb_cli.templates.evidence import find_rotamers
from latcpb_cli.templates.template_set import TemplateSet

__all__ = ["template_columns", "template_summary", "template_use"]

_LEAST_PROBABILITY = 0.5
"""Below, a rotamer that is that of the template is the model's."""
_CHI = slice(TORSION_NAMES.index("chi1"), None)


def template_use(
    trace: CGTrace,
    chunk: FrameChunk,
    atoms: Float[np.ndarray, "F S L W 3"],
    missing: Bool[np.ndarray, "F S L"],
    templates: TemplateSet,
) -> Float[np.ndarray, "F S L"]:
    """Find the side chains that have the rotamer of a template where the trace is like that of the template.

    Parameters
    ----------
    trace : CGTrace
    chunk : FrameChunk
        With Cα.
    atoms : numpy.ndarray, shape (F, S, L, W, 3)
        In Å.
    missing : numpy.ndarray of bool, shape (F, S, L)
        Residues that were not built.
    templates : TemplateSet
        One template or more.

    Returns
    -------
    numpy.ndarray of float64, shape (F, S, L)
        1 or 0; nan for residues whose side chains no template has, or which were not built.
    """
    linked = trace.linked(chunk.positions)
    rotamer, probability = find_rotamers(templates.templates, chunk.positions, linked, trace.next_residue)
    wanted = np.where(probability >= _LEAST_PROBABILITY, rotamer, -1)
    present = AtomTopology.heavy_atoms(trace).present[:, :N_SLOTS]
    use = np.full(missing.shape, np.nan)
    for sample in range(atoms.shape[1]):
        torsions = measure_torsions(
            trace.residue_types, atoms[:, sample, :, :N_SLOTS], present, linked, trace.next_residue
        )
        use[:, sample] = rotamer_indices(torsions[..., _CHI], trace.residue_types) == wanted
    use[missing | ~templates.knows_side_chain()] = np.nan
    return use


def template_columns(share: Float[np.ndarray, "L"], labels: Sequence[str]) -> dict[str, list[Any]]:
    """Return labels and shares of structures of the residues whose side chains a template has."""
    known = np.flatnonzero(np.isfinite(share))
    return {"residue": [labels[i] for i in known.tolist()], "share": np.round(share[known], 4).tolist()}


def template_summary(share: Float[np.ndarray, "L"]) -> dict[str, Any]:
    """Return how many residues have a side chain in a template, and the mean share of structures."""
    known = share[np.isfinite(share)]
    return {"residues": len(known), "share": round(float(known.mean()), 4) if len(known) else 0.0}
