"""How sure the conformation of a template is in a frame, from how alike the two traces are there.

The constants follow how often rotamers, and how well chi angles and peptides, of training ensembles are those
of the first frame; ``benchmarks/templates.py DATA --set train`` measures them. How many rotamers stay differs
from ensemble to ensemble; ``benchmarks/persistence.py`` measures that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.geometry.links import next_rows
from latcpb_cli.templates.rigid_copies import RigidCopies
from latcpb_cli.templates.template import Template

__all__ = ["TemplateEvidence", "find_evidence", "find_rotamers"]

_MAX_PROBABILITY = 0.99
"""That a rotamer of the template is that of a frame whose trace is the same. It falls like a Lorentzian with
the deviation of the surroundings, since many side chains stay as they are where the chain moves on."""
_AFTER_PACKING = 0.5
"""Part of this probability that counts once more after packing and rescoring. On training ensembles errors
are as with none, and side chains steadier; with all of it errors and overlaps rise."""
_MIN_CHI_STD, _CHI_STD_SLOPE = math.radians(2.0), math.radians(30.0)
"""Standard deviation of chi angles of a template where the traces are the same, and per Å of deviation."""
_MIN_PEPTIDE_STD, _LOCAL_SLOPE, _SITE_SLOPE = math.radians(1.0), math.radians(80.0), math.radians(44.0)
"""The same of rotations of peptides: per Å of deviation of the four nearest Cα, and of the surroundings."""
_COPY_LENGTH = 0.15
"""Deviation (Å) at which atoms are half way between those of tables and copies of the template's."""


@dataclass(frozen=True, eq=False)
class TemplateEvidence:
    """What templates say of L residues of some frames.

    Attributes
    ----------
    rotamer : Tensor of int64, shape (L,)
        Rotamer of the template; 0 where its probability is 0.
    probability : Tensor, shape (L,)
        That the side chain has this rotamer; 0 where no template has the side chain.
    chi, bends : Tensor, shape (L, 4)
        Chi angles, and deviations of angles from their ideal (`InternalCoordinates`), rad.
    chi_std : Tensor, shape (L,)
        Standard deviation (rad) of the chi angles within the rotamer.
    rotation : Tensor, shape (L, 2)
        (cos, sin) of the rotation of each peptide.
    concentration : Tensor, shape (L,)
        Of a von Mises density of this rotation; 0 where no template has the peptide.
    twist : Tensor, shape (L,)
        Twist of each peptide, rad.
    peptides, side_chains : RigidCopies
        Their atoms in the template.
    """

    rotamer: Int[Tensor, "L"]
    probability: Float[Tensor, "L"]
    chi: Float[Tensor, "L 4"]
    bends: Float[Tensor, "L 4"]
    chi_std: Float[Tensor, "L"]
    rotation: Float[Tensor, "L 2"]
    concentration: Float[Tensor, "L"]
    twist: Float[Tensor, "L"]
    peptides: RigidCopies
    side_chains: RigidCopies

    def to(self, device: torch.device | str) -> TemplateEvidence:
        """Return a copy on a device."""
        return TemplateEvidence(*(value.to(device) for value in vars(self).values()))

    def after_packing(self) -> TemplateEvidence:
        """Return what is left of the evidence after packing: a part, or all in rigid parts."""
        share = _AFTER_PACKING + (1 - _AFTER_PACKING) * self.side_chains.share
        return replace(self, probability=self.probability * share)


def find_evidence(
    templates: tuple[Template, ...],
    ca: Float[np.ndarray, "F L 3"],
    linked: Bool[np.ndarray, "F L"],
    next_residue: Int[np.ndarray, "L"] | None = None,
) -> TemplateEvidence:
    """Take the evidence for each residue of each frame from the template that is most like the frame there.

    Parameters
    ----------
    templates : tuple of Template
        One or more.
    ca : numpy.ndarray, shape (F, L, 3)
        Cα of the frames, Å.
    linked : numpy.ndarray of bool, shape (F, L)
        Whether a peptide joins each residue to the next.
    next_residue : numpy.ndarray of int64, shape (L,), optional
        Row of the next residue of each, in a system with rings.

    Returns
    -------
    TemplateEvidence
        Of F * L residues, in float32.
    """
    site = np.stack([template.deviation(ca, linked, next_residue) for template in templates])
    local = np.stack([template.peptide_deviation(ca, linked, next_residue) for template in templates])
    side_chain = _Choice.of_side_chains(templates, site)
    peptide = np.maximum(site, site[..., next_rows(next_residue, ca.shape[1])])
    variance = _MIN_PEPTIDE_STD**2 + (_LOCAL_SLOPE * local) ** 2 + (_SITE_SLOPE * peptide) ** 2
    has_peptide = [np.asarray(template.rotation.any(-1)) for template in templates]
    backbone = _Choice.nearest(templates, variance, has_peptide)
    deviation, excess = side_chain.value, np.maximum(backbone.value - _MIN_PEPTIDE_STD**2, 0.0)
    chi_std = np.sqrt(_MIN_CHI_STD**2 + (_CHI_STD_SLOPE * np.minimum(deviation, 1e3)) ** 2)
    return TemplateEvidence(
        rotamer=_flat(side_chain.rotamer()),
        probability=_flat(side_chain.probability()),
        chi=_flat(side_chain.take("chi")),
        bends=_flat(side_chain.take("bends")),
        chi_std=_flat(chi_std),
        rotation=_flat(backbone.take("rotation")),
        concentration=_flat(1.0 / backbone.value),
        twist=_flat(backbone.take("twist")),
        peptides=_rigid_copies(backbone.take("peptide_atoms"), np.sqrt(excess) / _SITE_SLOPE),
        side_chains=_rigid_copies(side_chain.take("side_chain_atoms"), deviation),
    )


def find_rotamers(
    templates: tuple[Template, ...],
    ca: Float[np.ndarray, "F L 3"],
    linked: Bool[np.ndarray, "F L"],
    next_residue: Int[np.ndarray, "L"] | None = None,
) -> tuple[Int[np.ndarray, "F L"], Float[np.ndarray, "F L"]]:
    """Return ``rotamer`` and ``probability`` of `find_evidence` alone, whose parameters these are."""
    site = np.stack([template.deviation(ca, linked, next_residue) for template in templates])
    side_chain = _Choice.of_side_chains(templates, site)
    return side_chain.rotamer(), side_chain.probability()


def _rigid_copies(
    positions: Float[np.ndarray, "F L n 3"], deviation: Float[np.ndarray, "F L"]
) -> RigidCopies:
    """Copies whose share falls from 1 to 0 around a deviation (Å) of `_COPY_LENGTH`."""
    return RigidCopies(_flat(positions), _flat(1.0 / (1.0 + (deviation / _COPY_LENGTH) ** 4)))


def _flat(values: np.ndarray) -> Tensor:
    """Values (F, L, ...) as one tensor (F * L, ...), in 32 bits if they are no integers."""
    tensor = torch.from_numpy(values).flatten(0, 1)
    return tensor.float() if tensor.is_floating_point() else tensor


@dataclass(frozen=True, eq=False)
class _Choice:
    """The template of each residue of each frame, and its value (F, L), infinite where none knows."""

    templates: tuple[Template, ...]
    index: Int[np.ndarray, "F L"]
    value: Float[np.ndarray, "F L"]

    @classmethod
    def nearest(
        cls, templates: tuple[Template, ...], values: Float[np.ndarray, "T F L"], known: list[np.ndarray]
    ) -> _Choice:
        """Choose the template of the least value among those that know the residue."""
        values = np.where(np.stack(known)[:, None], values, np.inf)
        return cls(templates, values.argmin(0), values.min(0))

    @classmethod
    def of_side_chains(cls, templates: tuple[Template, ...], site: Float[np.ndarray, "T F L"]) -> _Choice:
        """Choose the template whose surroundings deviate least among those that know the side chain."""
        return cls.nearest(templates, site, [template.rotamer >= 0 for template in templates])

    def rotamer(self) -> Int[np.ndarray, "F L"]:
        """Return the rotamers of side chains; 0 where no template knows them."""
        rotamer: np.ndarray = np.maximum(self.take("rotamer"), 0)
        return rotamer

    def probability(self) -> Float[np.ndarray, "F L"]:
        """Return the probabilities of these rotamers, of which the values are deviations."""
        tolerances = np.array([template.tolerance for template in self.templates])
        probability: np.ndarray = _MAX_PROBABILITY / (1 + (self.value / tolerances[self.index]) ** 2)
        return probability

    def take(self, name: str) -> np.ndarray:
        """Return an attribute of the templates, (F, L, ...)."""
        table = np.stack([getattr(template, name) for template in self.templates])
        taken: np.ndarray = table[self.index, np.arange(table.shape[1])]
        return taken
