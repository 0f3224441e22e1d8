"""Relief: overlaps go, everything else stays."""

from __future__ import annotations

import pytest
import torch
from tiny import tiny_model, trace_tensors

from latcpb_cli.chem.internal import chi_mask
from latcpb_cli.chem.residues import slot_mask
from latcpb_cli.geometry.codec import Internal, decode
from latcpb_cli.metrics.clashes import frame_clashes
from latcpb_cli.metrics.stereo import StereoChecker
from latcpb_cli.refine.relief import relieve

SEQUENCE = "AEAAKAAAFAAAMAAALA"


def crowded(chi: float) -> tuple[Internal, torch.Tensor, object]:
    """A helix whose side chains all have the same chi angles, and its graph."""
    ca, types, linked = trace_tensors(SEQUENCE)
    angle = torch.zeros(len(types), 8)
    angle[:, 0] = 2.4
    angle[:, 4:] = chi * torch.as_tensor(chi_mask())[types]
    torsions = torch.stack([torch.cos(angle), torch.sin(angle)], dim=-1)
    internal = Internal(torsions, torch.zeros(len(types)), torch.zeros(len(types), 4))
    graph = tiny_model(neighbors=16).graph(ca, types, linked, [len(ca)])
    return internal, decode(internal, ca, types, linked), graph


def overlaps(atoms: torch.Tensor, graph) -> int:
    present = slot_mask()[graph.types.numpy()]
    found = frame_clashes(graph.types.numpy(), atoms[None].numpy(), present, graph.linked[None].numpy())
    return found[0].n_overlaps


def worst_chi() -> float:
    """The chi of the most crowded of some helices."""
    return max((0.5 * step for step in range(12)), key=lambda chi: overlaps(*crowded(chi)[1:]))


def test_overlaps_go_and_the_rest_stays() -> None:
    internal, atoms, graph = crowded(worst_chi())
    relieved = relieve(atoms, internal, graph)
    assert overlaps(relieved, graph) < 0.5 * overlaps(atoms, graph)
    assert torch.equal(relieved[:, :5], atoms[:, :5])
    types = graph.types.numpy()
    checker = StereoChecker(types, slot_mask()[types], torch.zeros(len(types)).numpy())
    before, after = (checker.count(x[None].numpy(), graph.linked[None].numpy()) for x in (atoms, relieved))
    for name in ("bonds", "inverted_cb", "d_residues"):
        assert after[name].hits == before[name].hits


def test_structures_without_overlaps_come_back_as_they_are() -> None:
    internal, atoms, graph = crowded(0.0)
    alone = atoms + 30.0 * torch.arange(len(atoms))[:, None, None]
    assert relieve(alone, internal, graph) is alone


def test_relief_does_not_depend_on_the_batch() -> None:
    chi = worst_chi()
    internal, atoms, graph = crowded(chi)
    alone = relieve(atoms, internal, graph)
    two = Internal(*(x.repeat(2, *[1] * (x.dim() - 1)) for x in vars(internal).values()))
    pair = tiny_model(neighbors=16).graph(
        graph.ca.repeat(2, 1), graph.types.repeat(2), graph.linked.repeat(2), [len(graph.ca)] * 2
    )
    both = relieve(atoms.repeat(2, 1, 1), two, pair)
    assert torch.equal(both[: len(atoms)], both[len(atoms) :])
    assert torch.allclose(both[: len(atoms)], alone, atol=1e-4)


@pytest.mark.parametrize("chi", [1.0, 3.0])
def test_gradients_leave_no_trace(chi: float) -> None:
    internal, atoms, graph = crowded(chi)
    with torch.no_grad():
        assert not relieve(atoms, internal, graph).requires_grad
