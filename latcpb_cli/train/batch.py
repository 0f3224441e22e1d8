"""A batch as tensors: structures in a row, with noise on their Cα."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.chem.internal import chi_mask
from latcpb_cli.chem.residues import swap_slots
from latcpb_cli.chem.rotamers import rotamer_of
from latcpb_cli.geometry.codec import InternalCoordinates, encode
from latcpb_cli.train.data import Structure

__all__ = ["Batch", "make_batch"]

_TAILS = 4


@dataclass(frozen=True, eq=False)
class Batch:
    """L residues of all structures of a batch, and what the model should answer.

    Attributes
    ----------
    atoms, present
        Reference atoms (Å) with the *noisy* Cα in their place, and which exist.
    types, linked, sizes
        As in `build_graph`.
    internal, known
        Internal coordinates measured on ``atoms``, and which torsions count.
    rotamer
        Rotameric state of each side chain, -1 where a chi is not known or there is none.
    certainty
        How far each residue's atoms are to be believed, 0 to 1.
    structure
        Number of the structure each residue belongs to.
    """

    atoms: Float[Tensor, "L 15 3"]
    present: Bool[Tensor, "L 15"]
    types: Int[Tensor, "L"]
    linked: Bool[Tensor, "L"]
    sizes: list[int]
    internal: InternalCoordinates
    known: Bool[Tensor, "L 8"]
    rotamer: Int[Tensor, "L"]
    certainty: Float[Tensor, "L"]
    structure: Int[Tensor, "L"]

    @property
    def ca(self) -> Float[Tensor, "L 3"]:
        """Cα as the model sees them."""
        return self.atoms[:, 1]

    @property
    def swapped(self) -> Float[Tensor, "L 15 3"]:
        """Reference atoms where symmetric ones (of Asp, Phe, ...) have each other's names."""
        slots = torch.from_numpy(swap_slots()).to(self.atoms.device)[self.types]
        return self.atoms.gather(1, slots[..., None].expand_as(self.atoms))


def make_batch(
    structures: list[Structure],
    *,
    noise: float = 0.0,
    noisy_share: float = 0.0,
    seed: tuple[int, int] = (0, 0),
    device: torch.device | str = "cpu",
) -> Batch:
    """Join structures; each becomes noisy with probability ``noisy_share``.

    A noisy structure's Cα move by noise of a scale drawn uniformly from 0 to
    ``noise`` Å; its other atoms stay. The noise has longer tails than a Gaussian
    (Student's t with `_TAILS` degrees of freedom): a coarse-grained force field
    without angle terms leaves most Cα near where a peptide wants them, and kinks
    the chain at some.
    """
    rng = np.random.default_rng([*seed, 1])
    sizes = [len(s) for s in structures]
    atoms = np.concatenate([s.atoms for s in structures])
    spread = rng.uniform(0, noise, len(sizes)) * (rng.random(len(sizes)) < noisy_share)
    scale = np.repeat(spread, sizes) / np.sqrt(rng.chisquare(_TAILS, len(atoms)) / _TAILS)
    atoms[:, 1] += (rng.normal(size=(len(atoms), 3)) * scale[:, None]).astype(np.float32)
    joined = torch.from_numpy(atoms).to(device)
    present = torch.from_numpy(np.concatenate([s.present for s in structures])).to(device)
    types = torch.from_numpy(np.concatenate([s.types for s in structures])).to(device)
    linked = torch.from_numpy(np.concatenate([s.linked for s in structures])).to(device)
    certainty = torch.from_numpy(np.concatenate([s.certainty for s in structures])).to(device)
    sound = torch.from_numpy(np.repeat([s.rotamers for s in structures], sizes)).to(device)
    internal, known = encode(joined, present, types, linked)
    rotamer, without = _rotamers(internal, known, types)
    # A side chain that is not whole has no state to be built in, so nothing of it is learned.
    sound = (sound & (rotamer >= 0)) | without
    known = torch.cat([known[:, :4], known[:, 4:] & sound[:, None]], dim=-1)
    present = torch.cat([present[:, :5], present[:, 5:] & sound[:, None]], dim=-1)
    rotamer = torch.where(sound, rotamer, -1)
    structure = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes)).to(device)
    return Batch(joined, present, types, linked, sizes, internal, known, rotamer, certainty, structure)


def _rotamers(
    internal: InternalCoordinates, known: Tensor, types: Tensor
) -> tuple[Int[Tensor, "L"], Bool[Tensor, "L"]]:
    """Rotameric states (-1: not all chi are known), and which residues have no chi."""
    vector = internal.torsions[:, 4:].cpu()
    chi = torch.atan2(vector[..., 1], vector[..., 0]).numpy()
    kinds, has = types.cpu().numpy(), chi_mask()
    whole = (known[:, 4:].cpu().numpy() == has[kinds]).all(-1) & has[kinds].any(-1)
    state = np.full(len(kinds), -1, dtype=np.int64)
    for residue in np.unique(kinds[whole]):
        rows = np.flatnonzero(whole & (kinds == residue))
        state[rows] = rotamer_of(chi[rows], int(residue))
    without = ~has[kinds].any(-1)
    return torch.from_numpy(state).to(types.device), torch.from_numpy(without).to(types.device)
