"""A batch as tensors: structures in a row, with noise on their Cα."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.chem.residues import CA_SLOT, GAMMA_SLOT, GIVEN_SLOTS, swap_slots
from latcpb_cli.chem.rotamers import rotamer_indices
from latcpb_cli.chem.zmatrix import chi_mask
from latcpb_cli.geometry.codec import FIRST_CHI, InternalCoordinates, encode
from latcpb_cli.train.structures import Structure

__all__ = ["Batch", "make_batch"]

_NOISE_DEGREES_OF_FREEDOM = 4


@dataclass(frozen=True, eq=False)
class Batch:
    """L residues of all structures of a batch, as input and as target of the model.

    Attributes
    ----------
    atoms : Tensor, shape (L, 15, 3)
        Reference atoms (Å), with the noisy Cα in their slot.
    present : Tensor of bool, shape (L, 15)
        Atoms that have a position and are trained on.
    types, linked, sizes
        Residue indices (L,), peptides to the next residue (L,), and residues of each structure.
    internal : InternalCoordinates
        Measured on ``atoms``.
    torsion_mask : Tensor of bool, shape (L, 8)
        Torsions that are known.
    rotamer : Tensor of int64, shape (L,)
        Rotameric state of each side chain; -1 where it has none, or a chi angle is not known.
    confidence : Tensor, shape (L,)
        Confidence in each residue's atoms, 0 to 1.
    structure_index : Tensor of int64, shape (L,)
        Number of the structure each residue belongs to.
    backbone : Tensor, shape (L, 4, 3)
        Atoms in `GIVEN_SLOTS` (Å) of structures whose backbone is an input; nan elsewhere.
    """

    atoms: Float[Tensor, "L 15 3"]
    present: Bool[Tensor, "L 15"]
    types: Int[Tensor, "L"]
    linked: Bool[Tensor, "L"]
    sizes: list[int]
    internal: InternalCoordinates
    torsion_mask: Bool[Tensor, "L 8"]
    rotamer: Int[Tensor, "L"]
    confidence: Float[Tensor, "L"]
    structure_index: Int[Tensor, "L"]
    backbone: Float[Tensor, "L 4 3"]

    @property
    def ca(self) -> Float[Tensor, "L 3"]:
        """Input of the model: noisy Cα, Å."""
        return self.atoms[:, CA_SLOT]

    @property
    def swapped_atoms(self) -> Float[Tensor, "L 15 3"]:
        """Reference atoms with the names of symmetric ones (of Asp, Phe, ...) exchanged."""
        slots = torch.from_numpy(swap_slots()).to(self.atoms.device)[self.types]
        return self.atoms.gather(1, slots[..., None].expand_as(self.atoms))


def make_batch(
    structures: list[Structure],
    *,
    max_ca_noise: float = 0.0,
    noise_probability: float = 0.0,
    given_backbone_probability: float = 0.0,
    seed: tuple[int, int] = (0, 0),
    device: torch.device | str = "cpu",
) -> Batch:
    """Join structures; each gets noise on its Cα with probability ``noise_probability``.

    The scale of a structure's noise is uniform between 0 and ``max_ca_noise`` Å; its other atoms stay. The
    noise follows Student's t distribution, which has longer tails than a Gaussian: a coarse-grained force
    field without angle terms leaves most Cα where peptides fit, and kinks the chain at some.

    With ``given_backbone_probability``, the backbone of a structure is an input, and its Cα get no noise.
    """
    sizes = [len(structure) for structure in structures]
    atoms = np.concatenate([structure.atoms for structure in structures])
    given = np.random.default_rng([*seed, 2]).random(len(sizes)) < given_backbone_probability
    _add_noise(atoms, sizes, max_ca_noise * ~given, noise_probability, np.random.default_rng([*seed, 1]))

    def join(name: str) -> Tensor:
        return torch.from_numpy(np.concatenate([getattr(s, name) for s in structures])).to(device)

    joined = torch.from_numpy(atoms).to(device)
    present, types, linked, confidence = map(join, ("present", "types", "linked", "confidence"))
    side_chains = torch.from_numpy(np.repeat([s.side_chains for s in structures], sizes)).to(device)
    internal, measured = encode(joined, present, types, linked)
    rotamer, has_chi = _rotamers(internal, measured, types)
    # A side chain that is not whole has no state in which it could be built, so it is not trained on.
    trained = (side_chains & (rotamer >= 0)) | ~has_chi
    torsion_mask = torch.cat([measured[:, :FIRST_CHI], measured[:, FIRST_CHI:] & trained[:, None]], dim=-1)
    present = torch.cat([present[:, :GAMMA_SLOT], present[:, GAMMA_SLOT:] & trained[:, None]], dim=-1)
    rotamer = torch.where(trained, rotamer, -1)
    index = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes)).to(device)
    is_given = torch.from_numpy(given).to(device)[index][:, None] & present[:, list(GIVEN_SLOTS)]
    backbone = joined[:, list(GIVEN_SLOTS)].masked_fill(~is_given[..., None], math.nan)
    targets = internal, torsion_mask, rotamer, confidence, index, backbone
    return Batch(joined, present, types, linked, sizes, *targets)


def _add_noise(
    atoms: np.ndarray, sizes: list[int], max_scales: np.ndarray, probability: float, rng: np.random.Generator
) -> None:
    """Move the Cα of atoms (L, 15, 3) in place; ``max_scales`` (Å) are those of the structures."""
    scales = rng.uniform(0, 1, len(sizes)) * max_scales * (rng.random(len(sizes)) < probability)
    chi_square = rng.chisquare(_NOISE_DEGREES_OF_FREEDOM, len(atoms))
    scale = np.repeat(scales, sizes) / np.sqrt(chi_square / _NOISE_DEGREES_OF_FREEDOM)
    atoms[:, CA_SLOT] += (rng.normal(size=(len(atoms), 3)) * scale[:, None]).astype(np.float32)


def _rotamers(
    internal: InternalCoordinates, measured: Bool[Tensor, "L 8"], types: Int[Tensor, "L"]
) -> tuple[Int[Tensor, "L"], Bool[Tensor, "L"]]:
    """Rotameric states (-1 where not all chi angles are known), and which residues have chi angles."""
    vector = internal.torsions[:, FIRST_CHI:].cpu()
    chi = torch.atan2(vector[..., 1], vector[..., 0]).numpy()
    residue_types = types.cpu().numpy()
    expected = chi_mask()[residue_types]
    has_chi = expected.any(-1)
    whole = (measured[:, FIRST_CHI:].cpu().numpy() == expected).all(-1) & has_chi
    state = np.where(whole, rotamer_indices(chi, residue_types), -1)
    return torch.from_numpy(state).to(types.device), torch.from_numpy(has_chi).to(types.device)
