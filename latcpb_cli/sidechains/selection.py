"""From the decoder's rotamer probabilities to one conformation of each side chain."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latcpb_cli.chem.residues import GAMMA_SLOT
from latcpb_cli.chem.rotamers import N_ROTAMERS
from latcpb_cli.com_beads.observed import ObservedBeads
from latcpb_cli.diffusion.noise import gumbel
from latcpb_cli.geometry.codec import place_side_chains
from latcpb_cli.model.cg_encoder import Condition
from latcpb_cli.model.decoder import Decoded, Rotamers
from latcpb_cli.model.graph import Graph
from latcpb_cli.sidechains.bead_evidence import condition_on_beads
from latcpb_cli.sidechains.candidates import MAX_CANDIDATES, Candidates, build_candidates
from latcpb_cli.sidechains.contacts import find_candidate_contacts
from latcpb_cli.sidechains.expected_error import min_expected_error
from latcpb_cli.sidechains.packing import Packing
from latcpb_cli.sidechains.rescoring import Rescoring
from latcpb_cli.sidechains.template_rotamers import mix_template, template_share, with_template_rotamers
from latcpb_cli.templates.evidence import TemplateEvidence

__all__ = ["SideChainHeads", "SideChainInputs", "choose_side_chains", "rotamer_probabilities"]


@dataclass(frozen=True, eq=False)
class SideChainHeads:
    """The networks that turn rotamer probabilities of single residues into those of packed side chains.

    Attributes
    ----------
    packing : Packing
    rescoring : Rescoring or None
        None leaves the probabilities of the packing as they are.
    max_candidates : int
        Largest number of candidates of a residue.
    """

    packing: Packing
    rescoring: Rescoring | None
    max_candidates: int = MAX_CANDIDATES


@dataclass(frozen=True, eq=False)
class SideChainInputs:
    """Inputs of the choice of side chains in addition to latents and conditions.

    Attributes
    ----------
    noise : Tensor, shape (L, 85), or None
        Standard normal numbers that choose rotamers and the angles within them, `NOISE_PER_RESIDUE` per
        residue; None for the conformations of least expected error.
    rotamers : Rotamers or None
        Rotamers to choose from instead of those of the decoded latents. A sampled latent nearly determines
        its rotamer, independently of the samples of its neighbours.
    consensus_weights : Tensor, shape (L, 81), or None
        Added to the probability of each rotamer: the weighted sum over reference frames.
    beads : ObservedBeads or None
        Beads at centres of atoms that residues should have.
    template : TemplateEvidence or None
        What templates say of the residues.
    peptides : Tensor, shape (L, 2), or None
        Rotations and twists (rad) of peptides that Cα were relaxed with; nan for other peptides.
    """

    noise: Float[Tensor, "L 85"] | None = None
    rotamers: Rotamers | None = None
    consensus_weights: Float[Tensor, "L R"] | None = None
    beads: ObservedBeads | None = None
    template: TemplateEvidence | None = None
    peptides: Float[Tensor, "L 2"] | None = None


_NO_INPUTS = SideChainInputs()


@torch.no_grad()
def choose_side_chains(
    decoded: Decoded, condition: Condition, graph: Graph, heads: SideChainHeads, inputs: SideChainInputs
) -> Decoded:
    """Put every side chain into one of its candidates, given the probabilities of all others.

    Parameters
    ----------
    decoded
        Backbones and rotamers.
    condition, graph
        Z^C, and the neighbourhoods.
    heads
        Packing, and perhaps rescoring.
    inputs
        Noise, and what replaces or adjusts the probabilities.

    Returns
    -------
    Decoded
        The candidates of least expected error, or a sample where ``inputs`` have noise. The logits of its
        rotamers are the log probabilities after packing and rescoring.
    """
    if inputs.rotamers is not None:
        decoded = replace(decoded, rotamers=inputs.rotamers)
    noise, std = inputs.noise, heads.packing.chi_std(condition, graph.types)
    chi_offset = None if noise is None else heads.packing.sample_chi_offset(noise[:, N_ROTAMERS:], std)
    if inputs.template is not None:
        decoded = with_template_rotamers(decoded, graph.types, inputs.template, std)
        if chi_offset is not None:  # a sample keeps what the template leaves open
            chi_offset = chi_offset * (1 - template_share(inputs.template, std))
    if inputs.beads is not None:
        rotamers = condition_on_beads(decoded, graph.types, inputs.beads, std, chi_offset)
        decoded, chi_offset = replace(decoded, rotamers=rotamers), None
    candidates, log_prob = _packed_log_prob(decoded, condition, graph, heads, chi_offset)
    if inputs.consensus_weights is not None:
        log_prob = _add_consensus(candidates, log_prob, inputs.consensus_weights)
    if inputs.template is not None:
        log_prob = _mix_template(candidates, log_prob, graph.types, inputs.template)
    if noise is None:
        row, chi_offset = min_expected_error(candidates, log_prob.exp(), decoded.atoms, graph.types, std)
        chi = candidates.chi[row] + chi_offset
    else:
        row = _sample_rows(candidates, log_prob, noise)
        chi = candidates.chi[row]
    assert decoded.internal is not None  # or there were no candidates
    internal = decoded.internal.with_chi(chi)
    slots = place_side_chains(list(decoded.atoms[:, :GAMMA_SLOT].unbind(1)), internal, graph.types)
    atoms = torch.stack([*slots, decoded.atoms[:, -1]], dim=1)
    if (template := inputs.template) is not None:
        is_same = candidates.rotamer[row] == template.rotamer
        atoms = template.side_chains.into_side_chains(atoms, graph.types, is_same)
    return replace(
        decoded,
        atoms=atoms,
        internal=internal,
        rotamers=_refined_rotamers(decoded, candidates, log_prob),
    )


@torch.no_grad()
def rotamer_probabilities(
    decoded: Decoded,
    condition: Condition,
    graph: Graph,
    heads: SideChainHeads,
    inputs: SideChainInputs = _NO_INPUTS,
) -> Float[Tensor, "L R"]:
    """Return the probability of every rotamer after packing and rescoring; zero without a candidate.

    Of ``inputs``, beads and templates count.
    """
    std = heads.packing.chi_std(condition, graph.types)
    if inputs.template is not None:
        decoded = with_template_rotamers(decoded, graph.types, inputs.template, std)
    if inputs.beads is not None:
        decoded = replace(decoded, rotamers=condition_on_beads(decoded, graph.types, inputs.beads, std))
    candidates, log_prob = _packed_log_prob(decoded, condition, graph, heads)
    if inputs.template is not None:
        log_prob = _mix_template(candidates, log_prob, graph.types, inputs.template)
    return _by_rotamer(candidates, log_prob)


def _packed_log_prob(
    decoded: Decoded,
    condition: Condition,
    graph: Graph,
    heads: SideChainHeads,
    chi_offset: Float[Tensor, "L 4"] | None = None,
) -> tuple[Candidates, Float[Tensor, "L M"]]:
    """Candidates, and their log probabilities after packing and rescoring, by residue and rank."""
    candidates = build_candidates(decoded, graph.types, chi_offset, heads.max_candidates)
    contacts = find_candidate_contacts(candidates, decoded.atoms, graph)
    probability = heads.packing.marginals(candidates, contacts, graph)
    if heads.rescoring is None:
        return candidates, probability.log()
    environment = heads.rescoring.environment(candidates, probability, contacts, decoded.atoms, graph)
    del contacts  # groups of atoms, which are not needed either
    return candidates, heads.rescoring(candidates, probability, environment, decoded.atoms, condition, graph)


def _add_consensus(
    candidates: Candidates, log_prob: Float[Tensor, "L M"], weights: Float[Tensor, "L R"]
) -> Float[Tensor, "L M"]:
    """Log probabilities of candidates after the addition of weights to their probabilities."""
    weight = log_prob.flatten()[candidates.index].exp() + weights[candidates.residue, candidates.rotamer]
    return candidates.to_table(weight.log(), len(log_prob)).log_softmax(-1)


def _mix_template(
    candidates: Candidates,
    log_prob: Float[Tensor, "L M"],
    types: Int[Tensor, "L"],
    template: TemplateEvidence,
) -> Float[Tensor, "L M"]:
    """Log probabilities of candidates, mixed with those of templates once more."""
    probability = _by_rotamer(candidates, log_prob)
    mixed = mix_template(probability, types, template.after_packing())
    mixed = mixed[candidates.residue, candidates.rotamer]
    return candidates.to_table(mixed.log(), len(log_prob)).log_softmax(-1)


def _by_rotamer(candidates: Candidates, log_prob: Float[Tensor, "L M"]) -> Float[Tensor, "L R"]:
    """Probability of every rotamer; zero without a candidate."""
    probability = log_prob.new_zeros(len(log_prob), N_ROTAMERS)
    probability[candidates.residue, candidates.rotamer] = log_prob.flatten()[candidates.index].exp()
    return probability


def _sample_rows(
    candidates: Candidates, log_prob: Float[Tensor, "L M"], noise: Float[Tensor, "L 85"]
) -> Int[Tensor, "L"]:
    """Row of one candidate per residue, by the Gumbel-max trick with the noise of its rotamer."""
    perturbation = candidates.to_table(gumbel(noise[candidates.residue, candidates.rotamer]), len(log_prob))
    rank = (log_prob + perturbation).argmax(-1)
    first = torch.arange(len(rank), device=rank.device) * MAX_CANDIDATES
    return torch.searchsorted(candidates.index, first + rank)


def _refined_rotamers(
    decoded: Decoded, candidates: Candidates, log_prob: Float[Tensor, "L M"]
) -> Rotamers | None:
    """The rotamers of the decoder; those with a candidate have their log probability after rescoring."""
    if decoded.rotamers is None:
        return None
    refined = decoded.rotamers.logits.log_softmax(-1)
    refined[candidates.residue, candidates.rotamer] = log_prob.flatten()[candidates.index]
    return Rotamers(refined, decoded.rotamers.chi)
