"""What is known of the residues of an input from one all-atom structure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree

from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, N_SLOT
from latcpb_cli.chem.rotamers import rotamer_indices
from latcpb_cli.chem.zmatrix import chi_mask
from latcpb_cli.choices import TEMPLATE_TOLERANCE
from latcpb_cli.geometry.ca_descriptors import ca_descriptors
from latcpb_cli.geometry.codec import FIRST_CHI, PEPTIDE_ROTATION, encode
from latcpb_cli.geometry.links import ChainOrder, next_rows
from latcpb_cli.structure import CGTrace
from latcpb_cli.templates.rigid_copies import Trace, local_peptides, local_side_chains

__all__ = ["Template"]

_N_NEIGHBORS = 16
"""Nearest residues of a residue, in sequence or in space, to which distances are compared."""
_VOLUMES = slice(6, 8)
"""Columns of `ca_descriptors` whose sign differs between mirror images."""


@dataclass(frozen=True, eq=False)
class Template:
    """A structure, in the order of the L residues of an input.

    Attributes
    ----------
    neighbors : numpy.ndarray of int64, shape (L, 16)
        The nearest residues of each residue in its chain.
    distances : numpy.ndarray of float64, shape (L, 16)
        Their distances, Å; nan where there is none.
    descriptors : numpy.ndarray of float64, shape (L, 8)
        See `ca_descriptors`; nan where the structure has no such residues.
    rotamer : numpy.ndarray of int64, shape (L,)
        Rotamer of the side chain; -1 where it is not known.
    chi : numpy.ndarray of float64, shape (L, 4)
        Chi angles, rad.
    bends : numpy.ndarray of float64, shape (L, 4)
        See `InternalCoordinates`.
    rotation : numpy.ndarray of float64, shape (L, 2)
        (cos, sin) of the rotation of the peptide to the next residue; zeros where it is not known.
    twist : numpy.ndarray of float64, shape (L,)
        Twist of this peptide, rad.
    peptide_atoms : numpy.ndarray of float64, shape (L, 3, 3)
        See `local_peptides`.
    side_chain_atoms : numpy.ndarray of float64, shape (L, 10, 3)
        See `local_side_chains`.
    tolerance : float
        Deviation (Å) at which a side chain of a frame has the rotamer of the structure with a probability of
        a half, where the model says nothing.
    """

    neighbors: Int[np.ndarray, "L K"]
    distances: Float[np.ndarray, "L K"]
    descriptors: Float[np.ndarray, "L 8"]
    rotamer: Int[np.ndarray, "L"]
    chi: Float[np.ndarray, "L 4"]
    bends: Float[np.ndarray, "L 4"]
    rotation: Float[np.ndarray, "L 2"]
    twist: Float[np.ndarray, "L"]
    peptide_atoms: Float[np.ndarray, "L 3 3"]
    side_chain_atoms: Float[np.ndarray, "L 10 3"]
    tolerance: float = TEMPLATE_TOLERANCE

    @classmethod
    def from_atoms(
        cls,
        trace: CGTrace,
        atoms: Float[np.ndarray, "L 15 3"],
        present: Bool[np.ndarray, "L 15"],
        linked: Bool[np.ndarray, "L"],
        tolerance: float = TEMPLATE_TOLERANCE,
    ) -> Template:
        """Measure a structure.

        Parameters
        ----------
        trace : CGTrace
            L residues of the input.
        atoms : numpy.ndarray, shape (L, 15, 3)
            Their atoms in the structure, Å.
        present : numpy.ndarray of bool, shape (L, 15)
            Atoms that have a position; residues without a Cα are not in the structure.
        linked : numpy.ndarray of bool, shape (L,)
            Whether the structure has a peptide from each residue to the next.
        tolerance : float
            See the attribute, Å.
        """
        ca, known = atoms[:, CA_SLOT].astype(np.float64), present[:, CA_SLOT]
        points = torch.from_numpy(atoms.astype(np.float64))
        order = ChainOrder.from_next(trace.next_residue, "cpu")
        types, links = torch.from_numpy(trace.residue_types), torch.from_numpy(linked)
        internal, measured = encode(points, torch.from_numpy(present), types, links, order)
        torsions, is_measured = internal.torsions.numpy(), measured.numpy()
        chi = np.arctan2(torsions[:, FIRST_CHI:, 1], torsions[:, FIRST_CHI:, 0])
        has_chi = is_measured[:, FIRST_CHI:].any(1) & (
            is_measured[:, FIRST_CHI:] == chi_mask()[trace.residue_types]
        ).all(1)
        has_peptide = is_measured[:, PEPTIDE_ROTATION] & _same_neighborhood(trace, linked)
        following = next_rows(trace.next_residue, len(trace))
        has_peptide &= present[:, C_SLOT] & present[following, N_SLOT]
        descriptors = ca_descriptors(ca[None], linked[None], trace.next_residue)[0]
        return cls(
            *_nearest(trace, ca, known),
            np.where(descriptors != 0, descriptors, np.nan),
            np.where(has_chi, rotamer_indices(chi, trace.residue_types), -1),
            chi,
            internal.bends.numpy(),
            np.where(has_peptide[:, None], torsions[:, PEPTIDE_ROTATION], 0.0),
            internal.twist.numpy(),
            local_peptides(points, Trace(points[:, CA_SLOT], links, order)).numpy(),
            local_side_chains(points).numpy(),
            tolerance,
        )

    def deviation(
        self,
        ca: Float[np.ndarray, "F L 3"],
        linked: Bool[np.ndarray, "F L"],
        next_residue: Int[np.ndarray, "L"] | None = None,
    ) -> Float[np.ndarray, "F L"]:
        """Return how far (Å) the surroundings of each residue in some frames are from those in the structure.

        The root mean square difference of distances to the nearest residues and of signed volumes along the
        chain; infinite where fewer than four are known.

        Parameters
        ----------
        ca : numpy.ndarray, shape (F, L, 3)
            Cα of the frames, Å.
        linked : numpy.ndarray of bool, shape (F, L)
            Whether a peptide joins each residue to the next.
        next_residue : numpy.ndarray of int64, shape (L,), optional
            Row of the next residue of each, in a system with rings.
        """
        points = ca.astype(np.float64)
        steps = points[:, self.neighbors] - points[:, :, None]
        difference = np.sqrt((steps * steps).sum(-1)) - self.distances
        volumes = (ca_descriptors(ca, linked, next_residue) - self.descriptors)[..., _VOLUMES]
        return _root_mean_square(np.concatenate([difference, volumes], axis=-1))

    def peptide_deviation(
        self,
        ca: Float[np.ndarray, "F L 3"],
        linked: Bool[np.ndarray, "F L"],
        next_residue: Int[np.ndarray, "L"] | None = None,
    ) -> Float[np.ndarray, "F L"]:
        """Return how far (Å) the two Cα to either side of each peptide are from those in the structure.

        The root mean square difference of three distances and a signed volume; parameters as in `deviation`.
        """
        difference = ca_descriptors(ca, linked, next_residue) - self.descriptors
        following = next_rows(next_residue, ca.shape[1])
        before = np.empty_like(following)
        before[following] = np.arange(len(following))
        two_up, two_down, three_up = (difference[..., column] for column in range(3))
        columns = two_up, two_down[:, following], three_up[:, before], difference[..., _VOLUMES.stop - 1]
        return _root_mean_square(np.stack(columns, axis=-1), least=1)


def _root_mean_square(values: Float[np.ndarray, "F L N"], least: int = 4) -> Float[np.ndarray, "F L"]:
    """Root mean square of the values that are not nan; infinite where there are fewer than ``least``."""
    count = np.isfinite(values[:1]).sum(-1)
    mean = np.nansum(values**2, axis=-1) / np.maximum(count, 1)
    return np.where(count >= least, np.sqrt(mean), np.inf)


def _same_neighborhood(trace: CGTrace, linked: Bool[np.ndarray, "L"]) -> Bool[np.ndarray, "L"]:
    """Peptides whose rotation has the same reference in the structure as in the input."""
    following = next_rows(trace.next_residue, len(trace))
    joined = trace.same_chain_as_next() | np.isin(np.arange(len(trace)), [last for _, last in trace.rings])
    same, before = linked == joined, np.ones(len(trace), dtype=bool)
    before[following] = same
    result: np.ndarray = linked & before & same[following]
    return result


def _nearest(
    trace: CGTrace, ca: Float[np.ndarray, "L 3"], known: Bool[np.ndarray, "L"]
) -> tuple[Int[np.ndarray, "L K"], Float[np.ndarray, "L K"]]:
    """The nearest residues of the same chain, and their distances (Å)."""
    neighbors = np.zeros((len(trace), _N_NEIGHBORS), dtype=np.int64)
    distances = np.full(neighbors.shape, np.nan)
    for chain in np.unique(trace.chain_index[known]):
        rows = np.flatnonzero(known & (trace.chain_index == chain))
        count = min(_N_NEIGHBORS, len(rows) - 1)
        if count < 1:
            continue
        length, index = cKDTree(ca[rows]).query(ca[rows], k=count + 1)
        neighbors[rows, :count], distances[rows, :count] = rows[index[:, 1:]], length[:, 1:]
    return neighbors, distances
