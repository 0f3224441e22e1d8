"""Which side chains of an output are those of its templates, for the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from latcpb_cli.chem.residues import N_SLOTS
from latcpb_cli.chem.rotamers import rotamer_indices
from latcpb_cli.io.writers.part_file import PartState, PartStates
from latcpb_cli.io.writers.running_mean import RunningMean
from latcpb_cli.metrics.torsions import TORSION_NAMES, measure_torsions
from latcpb_cli.structure import AtomTopology, CGTrace, FrameChunk
from latcpb_cli.templates.evidence import find_evidence
from latcpb_cli.templates.template_set import TemplateSet

__all__ = ["TemplateReport", "template_use"]

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
    evidence = find_evidence(templates.templates, chunk.positions, linked, trace.next_residue)
    rotamer, probability = evidence.rotamer.numpy(), evidence.probability.numpy()
    wanted = np.where(probability >= _LEAST_PROBABILITY, rotamer, -1).reshape(linked.shape)
    present = AtomTopology.heavy_atoms(trace).present[:, :N_SLOTS]
    use = np.full(missing.shape, np.nan)
    for sample in range(atoms.shape[1]):
        torsions = measure_torsions(
            trace.residue_types, atoms[:, sample, :, :N_SLOTS], present, linked, trace.next_residue
        )
        use[:, sample] = rotamer_indices(torsions[..., _CHI], trace.residue_types) == wanted
    use[missing | ~templates.knows_side_chain()] = np.nan
    return use


class TemplateReport:
    """Running means of the use of templates in L residues, which an interrupted run goes on with.

    Parameters
    ----------
    path_json : pathlib.Path
        The report.
    n_residues : int
    resume : mapping of str to PartState, optional
        What the files of an interrupted run hold.
    n_structures : int
        Structures of the interrupted run.
    """

    def __init__(
        self, path_json: Path, n_residues: int, resume: PartStates | None = None, n_structures: int = 0
    ) -> None:
        final = path_json.with_name(path_json.name + ".template")
        self._mean = RunningMean(final, n_residues, resume, n_structures)
        self.part = self._mean.part

    def add(self, use: Float[np.ndarray, "F S L"]) -> None:
        """Add all structures of a chunk."""
        for structure in use.reshape(-1, use.shape[-1]):
            self._mean.add(structure)

    def sync(self) -> PartState:
        """Flush the means to the disk."""
        return self._mean.sync()

    def rows(self, labels: Sequence[str]) -> list[dict[str, Any]]:
        """Return the share of structures for each residue whose side chain a template has."""
        means = enumerate(self._mean.mean().tolist())
        return [{"residue": labels[i], "share": round(mean, 4)} for i, mean in means if mean == mean]

    def summary(self) -> dict[str, Any]:
        """Return how many residues have a side chain in a template, and the mean share of structures."""
        means = self._mean.mean()
        known = means[np.isfinite(means)]
        share = float(known.mean()) if len(known) else 0.0
        return {"residues": len(known), "share": round(share, 4)}
