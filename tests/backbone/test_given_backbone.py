"""Structures on the backbone of the input: what is kept, and what follows from it."""

from __future__ import annotations

import pytest
import torch
from rings import ca_ring
from tiny import SEQUENCE, random_latent, tiny_model, trace_tensors

from latcpb_cli.backbone.given_backbone import put_on_backbone
from latcpb_cli.chem.residues import (
    C_SLOT,
    CA_SLOT,
    CB_SLOT,
    GIVEN_SLOTS,
    N_SLOT,
    O_SLOT,
    OXT_SLOT,
    slot_mask,
)
from latcpb_cli.errors import UsageError
from latcpb_cli.geometry.codec import encode
from latcpb_cli.geometry.links import ChainOrder
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph

CA, TYPES, LINKED = trace_tensors()
SLOTS = list(GIVEN_SLOTS)
PRESENT = torch.from_numpy(slot_mask())[TYPES]


def decoded(seed: int = 0, **changes) -> tuple[Decoded, Graph]:
    """Structures of two breakable chains of the model with random weights."""
    model = tiny_model(**changes)
    linked = LINKED.clone()
    linked[11] = False
    graph = model.build_graph(CA, TYPES, linked, [len(CA)])
    return model.decoder(random_latent(seed), model.cg_encoder(graph), graph), graph


def given_by(other: Decoded) -> torch.Tensor:
    """The backbone of other structures, without the CB that glycine does not have."""
    backbone = other.atoms[:, SLOTS].clone()
    backbone[~PRESENT[:, SLOTS]] = torch.nan
    return backbone


def test_the_backbone_is_that_of_the_input_to_the_bit() -> None:
    (built, graph), backbone = decoded(), given_by(decoded(1)[0])
    backbone += 0.05 * torch.randn(backbone.shape, generator=torch.Generator().manual_seed(0))
    atoms = put_on_backbone(built, backbone, graph, side_chains=True).atoms
    kept = ~backbone.isnan()
    assert torch.equal(atoms[:, SLOTS][kept], backbone[kept])
    assert torch.equal(atoms[:, CA_SLOT], CA)
    assert atoms.isfinite().all()


def test_a_structure_on_its_own_backbone_stays_what_it_is() -> None:
    built, graph = decoded()
    for missing in ([], [CB_SLOT]):
        backbone = given_by(built)
        backbone[:, [SLOTS.index(slot) for slot in missing]] = torch.nan
        atoms = put_on_backbone(built, backbone, graph, side_chains=True).atoms
        assert (atoms - built.atoms).norm(dim=-1)[PRESENT].max() < 1e-4
        ends = ~graph.linked
        assert (atoms - built.atoms)[ends, OXT_SLOT].norm(dim=-1).max() < 1e-4


def test_the_last_peptide_of_a_ring_is_one_of_a_ring() -> None:
    """O of the last residue lies in the plane of the first N, and there is no OXT."""
    length, model = 14, tiny_model()
    ca = torch.from_numpy(ca_ring(length)).float()
    linked, order = torch.ones(length, dtype=torch.bool), ChainOrder(torch.tensor([1] * 13 + [-13]))
    graph = model.build_graph(ca, TYPES[:length], linked, [length], order)
    built = model.decoder(random_latent(0, length), model.cg_encoder(graph), graph)
    backbone = built.atoms[:, SLOTS].clone()
    backbone[:, SLOTS.index(O_SLOT)] = torch.nan
    atoms = put_on_backbone(built, backbone, graph, side_chains=False).atoms
    assert (atoms - built.atoms)[:, O_SLOT].norm(dim=-1).max() < 0.3
    assert torch.equal(atoms[:, OXT_SLOT], ca)


def test_o_lies_in_the_plane_of_its_peptide() -> None:
    """Where it is not given; that of a chain end has the torsion of the decoder."""
    built, graph = decoded()
    backbone = given_by(built)
    backbone[:, SLOTS.index(O_SLOT)] = torch.nan
    atoms = put_on_backbone(built, backbone, graph, side_chains=False).atoms
    # The decoder bends peptides by up to 15 degrees, which shows in the plane of CA, C and N.
    assert (atoms - built.atoms)[:, O_SLOT].norm(dim=-1).max() < 0.3
    assert (atoms - built.atoms)[~graph.linked, O_SLOT].norm(dim=-1).max() < 1e-4
    assert torch.allclose((atoms[:, O_SLOT] - atoms[:, C_SLOT]).norm(dim=-1), torch.tensor(1.231), atol=5e-3)


def test_residues_without_n_and_c_keep_the_backbone_of_the_decoder() -> None:
    (built, graph), backbone = decoded(), given_by(decoded(1)[0])
    lost = torch.zeros(len(CA), dtype=torch.bool)
    lost[[0, 6, 7]] = True
    backbone[lost] = torch.nan
    atoms = put_on_backbone(built, backbone, graph, side_chains=True).atoms
    assert (atoms - built.atoms).norm(dim=-1)[lost][PRESENT[lost]].max() < 1e-4
    assert (atoms - built.atoms)[~lost, N_SLOT].norm(dim=-1).min() > 1e-3


def test_side_chains_follow_with_their_chi_angles() -> None:
    (built, graph), backbone = decoded(), given_by(decoded(1)[0])
    atoms = put_on_backbone(built, backbone, graph, side_chains=True).atoms
    present = torch.nn.functional.pad(PRESENT[:, :OXT_SLOT], (0, 1))
    before, after = (
        encode(each, present, TYPES, graph.linked)[0].torsions[:, -4:] for each in (built.atoms, atoms)
    )
    is_proline = torch.tensor([letter == "P" for letter in SEQUENCE])
    assert torch.allclose(before[~is_proline], after[~is_proline], atol=1e-3)


def test_a_decoder_of_positions_is_refused() -> None:
    built, graph = decoded(cartesian=True)
    with pytest.raises(UsageError, match="predict positions") as caught:
        put_on_backbone(built, given_by(built), graph, side_chains=True)
    assert "--keep-backbone" in caught.value.hint
