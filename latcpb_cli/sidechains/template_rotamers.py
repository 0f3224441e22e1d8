"""Rotamers of residues that a template knows: its rotamer becomes more probable, with its chi angles.

The probability is a mixture: the side chain is that of the template, or what the model predicts. Of longer
side chains, the template may be right in the first chi angles only.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from latcpb_cli.chem.residues import NAMES
from latcpb_cli.chem.rotamers import N_ROTAMERS, chi_cells, rotamer_states
from latcpb_cli.chem.zmatrix import N_CHI
from latcpb_cli.device import table_on
from latcpb_cli.model.decoder import Decoded, Rotamers
from latcpb_cli.templates.evidence import TemplateEvidence

__all__ = ["mix_template", "template_share", "with_template_rotamers"]

_KEPT_CHI = 0.9
_SELDOM_KEPT_CHI = {
    ("ASN", 1): 0.65, ("ASP", 1): 0.7, ("HIS", 1): 0.8, ("ILE", 1): 0.85, ("GLN", 2): 0.55,
    ("GLU", 2): 0.6, ("LYS", 2): 0.8, ("MET", 2): 0.8,
}  # fmt: skip
"""Probability that a further chi angle is that of the template where those before it are, by residue type and
number of the chi angle from 0; see `latcpb_cli.templates.evidence`."""
_IMPOSSIBLE_LOGIT = -1e4
_MIN_PROBABILITY = 1e-9


def with_template_rotamers(
    decoded: Decoded, types: Int[Tensor, "L"], evidence: TemplateEvidence, chi_std: Float[Tensor, "L 4"]
) -> Decoded:
    """Return structures whose rotamers have the probabilities and chi angles that templates support.

    Parameters
    ----------
    decoded
        Backbones and rotamers.
    types
        Residue types.
    evidence
        What templates say of the residues.
    chi_std
        Standard deviation (rad) of each chi angle within the rotamers of the model.

    Raises
    ------
    ValueError
        The decoder predicted positions, and no rotamers.
    """
    rotamers, internal = decoded.rotamers, decoded.internal
    if rotamers is None or internal is None:
        raise ValueError("a decoder of positions has no rotamers")
    known = evidence.probability > 0
    mixed = mix_template(rotamers.logits.softmax(-1), types, evidence)
    possible = rotamers.logits > 0.5 * _IMPOSSIBLE_LOGIT
    logits = torch.where(possible, mixed.clamp(min=_MIN_PROBABILITY).log(), _IMPOSSIBLE_LOGIT)
    share = template_share(evidence, chi_std)
    rows = torch.arange(len(types), device=types.device)
    mean = rotamers.chi[rows, evidence.rotamer]
    period = table_on(types.device, _tables, "periods")[types]
    step = torch.remainder(evidence.chi - mean + period / 2, period) - period / 2
    chi = rotamers.chi.clone()
    chi[rows, evidence.rotamer] = mean + share * step
    bends = internal.bends + share * (evidence.bends - internal.bends)
    return replace(
        decoded,
        internal=replace(internal, bends=bends),
        rotamers=Rotamers(torch.where(known[:, None], logits, rotamers.logits), chi),
    )


def template_share(evidence: TemplateEvidence, chi_std: Float[Tensor, "L 4"]) -> Float[Tensor, "L 4"]:
    """Return the share of the template in the chi angles of its rotamer, by the variances of the two."""
    variance = chi_std**2
    share = variance / (variance + evidence.chi_std[:, None] ** 2)
    return torch.where((evidence.probability > 0)[:, None], share, 0.0)


def mix_template(
    probability: Float[Tensor, "L R"], types: Int[Tensor, "L"], evidence: TemplateEvidence
) -> Float[Tensor, "L R"]:
    """Return the mixture of rotamer probabilities with those where a template is right.

    It is right in all chi angles, or in the first of them; the probabilities given decide on the others.
    """
    states, kept = (table_on(types.device, _tables, column)[types] for column in ("states", "kept"))
    rows = torch.arange(len(types), device=types.device)
    equal = (states == states[rows, evidence.rotamer][:, None]).cumprod(-1).bool()
    remaining = evidence.probability
    total = (1 - remaining)[:, None] * probability
    for chi in range(N_CHI):
        part = remaining * (1 - kept[:, chi]) * (1 - evidence.side_chains.share * (kept[:, chi] > 0))
        matching = torch.where(equal[..., chi], probability.clamp(min=_MIN_PROBABILITY), 0.0)
        total = total + part[:, None] * matching / matching.sum(-1, keepdim=True).clamp(min=_MIN_PROBABILITY)
        remaining = remaining - part
    return total


class _Tables(NamedTuple):
    """By residue type: cells of chi angles, probabilities that the next one is kept, and periods (rad).

    Cells are -1 for chi angles that a residue type does not have, -2 for rotamers that it does not have.
    """

    states: Int[np.ndarray, "20 R 4"]
    kept: Float[np.ndarray, "20 4"]
    periods: Float[np.ndarray, "20 4"]


@cache
def _tables() -> _Tables:
    states = np.full((len(NAMES), N_ROTAMERS, N_CHI), -2)
    kept = np.zeros((len(NAMES), N_CHI), dtype=np.float32)
    periods = np.full((len(NAMES), N_CHI), 2 * np.pi, dtype=np.float32)
    for kind, name in enumerate(NAMES):
        rotamers = rotamer_states(kind)
        states[kind, : len(rotamers)] = -1
        for index, state in enumerate(rotamers):
            states[kind, index, : len(state)] = state
        for chi in range(1, len(rotamers[0])):
            kept[kind, chi - 1] = _SELDOM_KEPT_CHI.get((name, chi), _KEPT_CHI)
        for chi, cells in enumerate(chi_cells(kind)):
            periods[kind, chi] = np.radians(cells.period)
    return _Tables(states, kept, periods)
