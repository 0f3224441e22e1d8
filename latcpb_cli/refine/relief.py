"""Side chains that overlap are turned apart (layer 4).

Only chi angles of residues that take part in an overlap move, by gradient
descent against a smooth repulsion and towards the model's own answer. Bond
lengths, rings, chirality, the backbone and Cα cannot change.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.chem.residues import ATOM_SLOTS, LETTERS, N_SLOTS, VDW_RADIUS, slot_mask
from latcpb_cli.geometry.codec import Internal, place_side_chains
from latcpb_cli.model.graph import Graph

__all__ = ["relieve"]

_MOVING = slice(5, 14)
_ALLOWED = 0.35  # Å of van der Waals overlap that is left alone; 0.4 counts as a clash
_POLAR = 2.55  # Å: hydrogen bonds between N and O
_DISULFIDE = 2.0  # Å between two SG
_STAY = 0.3  # Å² per 1 - cos(turn): what holds a chi to the model's answer
_RATE = 0.12  # rad
_SOFT = 1.0  # Å² per rad: gradients far below this are rounding, which must not be amplified
_MARGIN = 3.0  # Å: how much nearer a pair may come while side chains turn
_STEPS = 30
_BLOCK = 2048
_PROLINE = LETTERS.index("P")


@torch.enable_grad()
def relieve(atoms: Float[Tensor, "L 15 3"], internal: Internal, graph: Graph) -> Float[Tensor, "L 15 3"]:
    """Turn overlapping side chains apart.

    Parameters
    ----------
    atoms
        What the decoder built (Å).
    internal
        The internal coordinates it was built from.
    graph
        Neighbours within which overlaps are looked for.

    Returns
    -------
    Tensor, shape (L, 15, 3)
        Cα and backbone unchanged. Residues without overlaps are unchanged to
        the bit, so the result of a structure does not depend on its batch.
    """
    rows = _overlapping(atoms, graph)
    if len(rows) == 0:
        return atoms
    pairs = _near_pairs(atoms, rows, graph)
    start = torch.atan2(internal.torsions[rows, 4:, 1], internal.torsions[rows, 4:, 0]).detach()
    turn = torch.zeros_like(start).requires_grad_()
    slow, fast = torch.zeros_like(turn), torch.zeros_like(turn)
    for step in range(1, _STEPS + 1):
        built = _rebuild(atoms, internal, graph, rows, start + turn)
        total = pairs.repulsion(built) + _STAY * (1 - torch.cos(turn)).sum()
        (gradient,) = torch.autograd.grad(total, turn)
        with torch.no_grad():
            # Adam (Kingma & Ba 2015), the rate falling to zero.
            slow = 0.7 * slow + 0.3 * gradient
            fast = 0.9 * fast + 0.1 * gradient**2
            scale = (1 - 0.7**step) / (1 - 0.9**step) ** 0.5
            turn -= _RATE * (1 - (step - 1) / _STEPS) * slow / (scale * fast.sqrt() + _SOFT)
    return _rebuild(atoms, internal, graph, rows, start + turn).detach()


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Atom pairs that could come to overlap: numbers in the flattened atoms, and their reach (Å)."""

    one: Int[Tensor, "P"]
    two: Int[Tensor, "P"]
    reach: Float[Tensor, "P"]

    def repulsion(self, atoms: Float[Tensor, "L 15 3"]) -> Tensor:
        """Sum of squared overlaps, Å²."""
        flat = atoms.flatten(0, 1)
        step = flat.index_select(0, self.one) - flat.index_select(0, self.two)
        distance = torch.sqrt((step * step).sum(-1) + 1e-6)
        return ((self.reach - distance).clamp(min=0.0) ** 2).sum()


def _overlapping(atoms: Float[Tensor, "L 15 3"], graph: Graph) -> Int[Tensor, "A"]:
    """Residues whose movable side-chain atoms overlap another residue, proline left out."""
    everyone = torch.arange(len(atoms), device=atoms.device)
    pairs = _near_pairs(atoms, everyone, graph, margin=0.0)
    found = torch.div(pairs.one, N_SLOTS, rounding_mode="floor").unique()
    return found[graph.types[found] != _PROLINE]


def _near_pairs(
    atoms: Float[Tensor, "L 15 3"], rows: Int[Tensor, "A"], graph: Graph, margin: float = _MARGIN
) -> _Pairs:
    """Movable atoms of some residues and the atoms of others within reach and ``margin`` (Å)."""
    # In blocks: the table of all pairs is a hundred times larger than the list of near ones.
    parts = [_near_pairs_of(atoms, part, graph, margin) for part in rows.split(_BLOCK)]
    return _Pairs(*(torch.cat([getattr(part, name) for part in parts]) for name in ("one", "two", "reach")))


def _near_pairs_of(atoms: Tensor, rows: Int[Tensor, "A"], graph: Graph, margin: float) -> _Pairs:
    near, valid = graph.index[rows], graph.valid[rows]
    kinds, there = _kinds(atoms.device)
    own_kind, near_kind = kinds[graph.types[rows], _MOVING], kinds[graph.types[near]]
    own_there, near_there = there[graph.types[rows], _MOVING], there[graph.types[near]]
    reach = _reach(atoms.device)[own_kind[:, None, :, None], near_kind[:, :, None]]
    mask = own_there[:, None, :, None] & near_there[:, :, None] & valid[:, :, None, None]
    step = atoms[rows, _MOVING][:, None, :, None] - atoms[near][:, :, None]
    found = mask & ((step * step).sum(-1) < (reach + margin) ** 2)
    row, neighbor, own, other = torch.nonzero(found).unbind(1)
    one = rows[row] * N_SLOTS + own + _MOVING.start
    two = near[row, neighbor] * N_SLOTS + other
    return _Pairs(one, two, reach[row, neighbor, own, other])


def _rebuild(
    atoms: Tensor, internal: Internal, graph: Graph, rows: Int[Tensor, "A"], chi: Float[Tensor, "A 4"]
) -> Float[Tensor, "L 15 3"]:
    """All atoms with the side chains of some residues at other chi angles."""
    turned = torch.stack([torch.cos(chi), torch.sin(chi)], dim=-1)
    own = Internal(
        torch.cat([internal.torsions[rows, :4], turned], dim=1), internal.twist[rows], internal.bends[rows]
    )
    slots = place_side_chains(list(atoms[rows, :5].unbind(1)), own, graph.types[rows])
    side = torch.stack(slots, dim=1)[:, _MOVING]
    moved = torch.cat([atoms[rows, :5], side, atoms[rows, 14:]], dim=1)
    return atoms.index_copy(0, rows, moved)


_ELEMENTS = "CNOS"


@cache
def _kinds(device: torch.device) -> tuple[Int[Tensor, "20 15"], Bool[Tensor, "20 15"]]:
    """Element number of every slot of every residue type, and whether the slot is filled."""
    kinds = torch.zeros(20, N_SLOTS, dtype=torch.long)
    for residue, names in enumerate(ATOM_SLOTS):
        for slot, name in enumerate(names):
            kinds[residue, slot] = _ELEMENTS.index(name[0])
    return kinds.to(device), torch.from_numpy(slot_mask()).to(device)


@cache
def _reach(device: torch.device) -> Float[Tensor, "4 4"]:
    """Distance (Å) below which two elements repel each other."""
    radius = torch.tensor([VDW_RADIUS[element] for element in _ELEMENTS])
    reach = radius[:, None] + radius - _ALLOWED
    polar = torch.tensor([element in "NO" for element in _ELEMENTS])
    sulfur = torch.tensor([element == "S" for element in _ELEMENTS])
    reach = torch.where(polar[:, None] & polar, _POLAR, reach)
    return torch.where(sulfur[:, None] & sulfur, _DISULFIDE, reach).to(device)
