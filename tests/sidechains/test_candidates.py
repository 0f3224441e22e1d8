"""Candidates: the rotamers of the decoder, as the decoder builds them."""

from __future__ import annotations

import pytest
import torch

from latcpb_cli.chem.residues import GAMMA_SLOT, OXT_SLOT
from latcpb_cli.geometry.codec import decode
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.sidechains.candidates import MAX_CANDIDATES, build_candidates


def test_candidates_are_built_as_the_decoder_builds_them(chain) -> None:
    decoded, graph, candidates = chain.decoded, chain.graph, chain.candidates()
    for rank in (0, 1):
        rows = torch.nonzero(candidates.index % MAX_CANDIDATES == rank)[:, 0]
        residues = candidates.residue[rows]
        chi = torch.zeros(len(graph.types), 4)
        chi[residues] = candidates.chi[rows]
        atoms = decode(decoded.internal.with_chi(chi), graph.ca, graph.types, graph.linked)
        expected = atoms[residues, GAMMA_SLOT:OXT_SLOT]
        assert torch.allclose(candidates.atoms[rows], expected, atol=1e-5)


def test_candidates_are_the_rotamers_above_a_limit_in_falling_order(chain) -> None:
    candidates = chain.candidates()
    probability = chain.decoded.rotamers.logits.softmax(-1)
    assert (candidates.index.diff() > 0).all()
    assert torch.allclose(candidates.log_prob.exp(), probability[candidates.residue, candidates.rotamer])
    same_residue = candidates.residue.diff() == 0
    assert (candidates.log_prob.diff()[same_residue] <= 0).all()
    first = torch.nn.functional.pad(~same_residue, (1, 0), value=True)
    assert (candidates.log_prob[~first].exp() >= 0.002).all()
    expected = (probability >= 0.002).sum(-1).clamp(1, MAX_CANDIDATES)
    assert torch.equal(torch.bincount(candidates.residue), expected)


def test_the_most_probable_candidates_are_within_the_limit(chain) -> None:
    every, two = chain.candidates(), build_candidates(chain.decoded, chain.types, limit=2)
    assert torch.equal(two.index, every.index[every.index % MAX_CANDIDATES < 2])
    assert torch.equal(torch.bincount(two.residue), torch.bincount(every.residue).clamp(max=2))


def test_offsets_are_added_to_all_candidates_of_a_residue(chain) -> None:
    offset = torch.zeros(len(chain.types), 4)
    offset[3, 0] = 0.3
    plain, shifted = chain.candidates(), build_candidates(chain.decoded, chain.types, offset)
    difference = shifted.chi - plain.chi
    assert torch.allclose(difference[plain.residue == 3, 0], torch.tensor(0.3))
    assert (difference[plain.residue != 3] == 0).all()


def test_tables_have_a_value_per_rank_and_are_impossible_elsewhere(chain) -> None:
    candidates = chain.candidates()
    values = torch.arange(len(candidates.index)).float()
    table = candidates.to_table(values, len(chain.types))
    assert torch.equal(table.flatten()[candidates.index], values)
    assert int((table == -1e4).sum()) == table.numel() - len(values)


def test_selected_candidates_keep_all_fields(chain) -> None:
    candidates = chain.candidates()
    selected = candidates.select(torch.tensor([2, 5]))
    for name, value in vars(selected).items():
        assert torch.equal(value, getattr(candidates, name)[[2, 5]])


def test_decoders_of_positions_are_refused(chain) -> None:
    with pytest.raises(ValueError, match="rotamers"):
        build_candidates(Decoded(chain.decoded.atoms, None, None), chain.types)
