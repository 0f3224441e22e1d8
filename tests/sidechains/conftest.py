"""A decoded chain and heads for tests of side chains; changes of parameters end with a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import torch
from rotations import random_rotation
from tiny import perturb, random_latent, tiny_predictor, trace_tensors

from latcpb_cli.model.cg_encoder import Condition
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph
from latcpb_cli.predictor import Predictor
from latcpb_cli.sidechains.candidates import Candidates, build_candidates
from latcpb_cli.sidechains.contacts import CandidateContacts, find_candidate_contacts
from latcpb_cli.sidechains.packing import Packing
from latcpb_cli.sidechains.rescoring import Rescoring
from latcpb_cli.sidechains.selection import SideChainHeads


@dataclass
class Chain:
    """A chain with the output of the decoder, and the heads of the same predictor."""

    predictor: Predictor
    graph: Graph
    condition: Condition
    latent: torch.Tensor
    decoded: Decoded

    @property
    def packing(self) -> Packing:
        assert self.predictor.packing is not None
        return self.predictor.packing

    @property
    def rescoring(self) -> Rescoring:
        assert self.predictor.rescoring is not None
        return self.predictor.rescoring

    @property
    def heads(self) -> SideChainHeads:
        return SideChainHeads(self.packing, self.rescoring)

    @property
    def types(self) -> torch.Tensor:
        return self.graph.types

    def candidates(self) -> Candidates:
        return build_candidates(self.decoded, self.types)

    def contacts(self, candidates: Candidates) -> CandidateContacts:
        return find_candidate_contacts(candidates, self.decoded.atoms, self.graph)

    def repel(self) -> None:
        """Give all pairs of atom types a contact energy at short distances."""
        self.packing.contact_energy.data[:] = 0.0
        self.packing.contact_energy.data[:, :3] = 20.0


def make_chain(predictor: Predictor, rotation: torch.Tensor | None = None) -> Chain:
    """Decode the chain, in other axes if a rotation is given."""
    ca, types, linked = trace_tensors()
    ca = ca if rotation is None else ca @ rotation.T
    graph = predictor.latcpb.build_graph(ca, types, linked, [len(ca)])
    condition = predictor.latcpb.cg_encoder(graph)
    latent = random_latent()
    return Chain(predictor, graph, condition, latent, predictor.latcpb.decoder(latent, condition, graph))


@contextmanager
def restored(predictor: Predictor) -> Iterator[Predictor]:
    """Undo changes of parameters at the end of a test; building a predictor for each takes long."""
    state = {name: value.clone() for name, value in predictor.state_dict().items()}
    try:
        yield predictor
    finally:
        predictor.load_state_dict(state)
        predictor.requires_grad_(False).zero_grad()


@pytest.fixture(scope="session")
def untrained_predictor() -> Predictor:
    return tiny_predictor()


@pytest.fixture(scope="session")
def trained_predictor() -> Predictor:
    predictor = tiny_predictor()
    assert predictor.rescoring is not None
    perturb(predictor.rescoring, seed=3)
    return predictor


@pytest.fixture
def chain(untrained_predictor: Predictor) -> Iterator[Chain]:
    """A chain with heads before training: contact energies are zero, and rescoring changes nothing."""
    with restored(untrained_predictor) as predictor:
        yield make_chain(predictor)


@pytest.fixture
def trained_chain(trained_predictor: Predictor) -> Iterator[Chain]:
    """A chain with a rescoring that has an effect."""
    with restored(trained_predictor) as predictor:
        yield make_chain(predictor)


@pytest.fixture
def rotated_chain(trained_predictor: Predictor) -> Chain:
    """The same as ``trained_chain`` in other axes."""
    return make_chain(trained_predictor, random_rotation(1))
