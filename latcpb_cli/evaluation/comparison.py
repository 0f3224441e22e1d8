"""Frames of a structure compared with the frames of its reference."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.choices import Superpose
from latcpb_cli.evaluation.matching import Matching
from latcpb_cli.evaluation.records import AtomFrames
from latcpb_cli.evaluation.residue_sums import ResidueSums
from latcpb_cli.evaluation.structure_measures import FrameColumns
from latcpb_cli.evaluation.superpose import superpose
from latcpb_cli.evaluation.torsion_distributions import TorsionDistributions
from latcpb_cli.metrics.accuracy import (
    ATOM_SETS,
    chi_checks,
    cis_check,
    inner_residues,
    rmsd,
    squared_deviation,
)
from latcpb_cli.metrics.count import Check
from latcpb_cli.metrics.diversity import pairwise_rmsd
from latcpb_cli.metrics.graph import bond_graph, graph_distance
from latcpb_cli.metrics.torsions import measure_torsions
from latcpb_cli.structure import CGTrace

__all__ = ["REGIONS", "Comparison", "MatchedPair", "inner_of_reference"]

REGIONS = ("inner", "all")
"""Sets of residues; ``inner`` leaves out those at chain ends and breaks of the reference."""
_RESIDUE_NAMES = {"all_heavy": "rmsd", "backbone": "rmsd_backbone", "side_chain": "rmsd_side_chain"}

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class MatchedPair:
    """The M residues that a structure and its reference have in common.

    Attributes
    ----------
    reference, generated : AtomFrames
    matching : Matching
    trace : CGTrace
        Of the M residues, with the labels of the reference; a residue that either
        structure has between two of them ends the chain.
    present : numpy.ndarray of bool, shape (M, 15)
        Atoms that both structures have.
    """

    reference: AtomFrames
    generated: AtomFrames
    matching: Matching
    trace: CGTrace
    present: Bool[Array, "M 15"]

    @classmethod
    def from_matching(cls, reference: AtomFrames, generated: AtomFrames, matching: Matching) -> MatchedPair:
        """Reduce two structures to the residues that were matched."""
        rows = matching.reference
        trace = reference.trace
        gap = (np.diff(rows) != 1) | (np.diff(trace.chain_index[rows]) != 0)
        # Rows of the other file may come in another order, as long as they do not skip one.
        other = np.argsort(np.argsort(matching.generated))
        gap |= np.diff(matching.generated) - np.diff(other) != 0
        common = CGTrace(
            "".join(trace.sequence[row] for row in rows.tolist()),
            trace.chain_ids[rows],
            np.r_[0, np.cumsum(gap)].astype(np.int64),
            trace.resids[rows],
            trace.icodes[rows],
        )
        common = replace(common, cyclic_chains=_common_rings(reference, generated, matching, common))
        present = reference.present[rows] & generated.present[matching.generated]
        return cls(reference, generated, matching, common, present)

    def reference_atoms(self, start: int, stop: int) -> Float[Array, "F M 15 3"]:
        """Read the matched residues of some frames of the reference."""
        return np.asarray(self.reference.read(start, stop)[:, self.matching.reference])

    def torsions(self, atoms: Float[Array, "F M 15 3"]) -> Float[Array, "F M 7"]:
        """Measure torsions over atoms that both structures have."""
        linked = self.trace.linked(atoms[:, :, CA_SLOT])
        return measure_torsions(
            self.trace.residue_types, atoms, self.present, linked, self.trace.next_residue
        )


def _common_rings(
    reference: AtomFrames, generated: AtomFrames, matching: Matching, common: CGTrace
) -> tuple[int, ...]:
    """Chains of the matched residues that are whole rings of both structures."""
    chains = range(int(common.chain_index[-1]) + 1)
    rows = [np.flatnonzero(common.chain_index == chain)[[0, -1]] for chain in chains]
    sides = (reference, matching.reference), (generated, matching.generated)
    return tuple(
        chain
        for chain, ends in zip(chains, rows, strict=True)
        if all(tuple(matched[ends].tolist()) in side.trace.rings for side, matched in sides)
    )


class Comparison:
    """Compares frames, which are added in their order.

    Parameters
    ----------
    pair : MatchedPair
    samples : int
        Generated frames for each frame of the reference, one after the other.
    superposed : {'none', 'chain', 'frame'}

    Attributes
    ----------
    columns : dict of str to list of float
        One value for each generated frame.
    residues : ResidueSums
        Of the M matched residues.
    distributions : TorsionDistributions
    """

    def __init__(self, pair: MatchedPair, samples: int, superposed: Superpose) -> None:
        self.pair, self.samples, self.superposed = pair, samples, superposed
        self.types = pair.trace.residue_types
        self.columns: FrameColumns = defaultdict(list)
        self.residues = ResidueSums(len(pair.trace))
        self.distributions = TorsionDistributions(self.types, samples)

    def add(
        self,
        reference: Float[Array, "F M 15 3"],
        generated: Float[Array, "N M 15 3"],
        inner: Bool[Array, "F M"],
    ) -> None:
        """Compare some frames of the reference with all their samples.

        ``inner`` marks the residues of the reference with a peptide on both sides.
        """
        regions = dict(zip(REGIONS, (inner, np.ones_like(inner)), strict=True))
        repeated = np.repeat(reference, self.samples, axis=0)
        chains = self.pair.reference.trace.chain_index[self.pair.matching.reference]
        moved = superpose(generated, repeated, chains, self.superposed)
        self._add_deviations(repeated, moved, regions)
        self._add_torsions(self.pair.torsions(reference), self.pair.torsions(generated), regions)
        self._add_graphs(reference, generated, regions)
        if self.samples > 1:
            self._add_diversity(moved.reshape(len(reference), self.samples, *moved.shape[1:]), inner)

    def _add_deviations(
        self,
        reference: Float[Array, "N M 15 3"],
        generated: Float[Array, "N M 15 3"],
        regions: dict[str, Array],
    ) -> None:
        present = self.pair.present
        squares = squared_deviation(self.types, reference, generated, present)
        for name, slots in ATOM_SETS.items():
            for region, residues in regions.items():
                repeated = np.repeat(residues, self.samples, axis=0)
                values = rmsd(squares, present, repeated, slots)
                self.columns[f"{region}.rmsd.{name}"] += values.tolist()
            chosen = present & slots
            totals = np.where(chosen, squares, 0.0).sum(axis=(0, 2))
            self.residues.add(_RESIDUE_NAMES[name], totals, len(squares) * chosen.sum(axis=1))

    def _add_torsions(
        self,
        reference: Float[Array, "F M 7"],
        generated: Float[Array, "N M 7"],
        regions: dict[str, Array],
    ) -> None:
        self.distributions.add_reference(reference)
        self.distributions.add_generated(generated)
        torsions = np.repeat(reference, self.samples, axis=0), generated
        checks = {f"chi.{name}": check for name, check in chi_checks(self.types, *torsions).items()}
        checks["cis_kept"] = cis_check(*torsions)
        for name, check in checks.items():
            for region, residues in regions.items():
                self._count(f"{region}.{name}", check, np.repeat(residues, self.samples, axis=0))
        for name in ("chi1", "chi1_chi2"):
            hit, mask = checks[f"chi.{name}"]
            self.residues.add(f"{name}_match", (hit & mask).sum(axis=0), mask.sum(axis=0))

    def _count(self, name: str, check: Check, residues: Bool[Array, "N M"]) -> None:
        mask = check.mask & residues
        self.columns[name] += (check.hit & mask).sum(axis=1).tolist()
        self.columns[f"{name}_of"] += mask.sum(axis=1).tolist()

    def _add_graphs(
        self,
        reference: Float[Array, "F M 15 3"],
        generated: Float[Array, "N M 15 3"],
        regions: dict[str, Array],
    ) -> None:
        present, samples = self.pair.present, self.samples
        for f, frame in enumerate(reference):
            reference_bonds = bond_graph(self.types, frame, present)
            for sample in generated[f * samples : (f + 1) * samples]:
                bonds = bond_graph(self.types, sample, present)
                for region, residues in regions.items():
                    distance = graph_distance(reference_bonds, bonds, present & residues[f, :, None])
                    edges, symmetric = (np.nan, np.nan) if distance is None else distance
                    self.columns[f"{region}.ged"].append(edges)
                    self.columns[f"{region}.ged_symmetric"].append(symmetric)

    def _add_diversity(self, samples: Float[Array, "F S M 15 3"], inner: Bool[Array, "F M"]) -> None:
        """Add one value for each frame of the reference, at its first sample."""
        rest = [np.nan] * (self.samples - 1)
        for frame, residues in zip(samples, inner, strict=True):
            for name in ("side_chain", "all_heavy"):
                value = pairwise_rmsd(self.types, frame, self.pair.present, residues, ATOM_SETS[name])
                self.columns[f"diversity.pairwise_{name}_rmsd"] += [value, *rest]


def inner_of_reference(pair: MatchedPair, atoms: Float[Array, "F L 15 3"]) -> Bool[Array, "F M"]:
    """Mark the matched residues with a peptide on both sides in the whole reference."""
    trace = pair.reference.trace
    inner = inner_residues(trace.linked(atoms[:, :, CA_SLOT]), trace.next_residue)
    return np.asarray(inner[:, pair.matching.reference])
