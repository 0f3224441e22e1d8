"""Stretches of beads that are Cα and stretches that are centres of mass, found from distances along a chain.

A hidden Markov model over the residues of a chain: the kind of a bead changes rarely along it, and the
distance of two neighbours depends on their kinds and residue types. A third kind stands for beads that are
neither.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64

from latcpb_cli.io.beads.kind_distances import N_KINDS, distance_log_densities

__all__ = ["KindStretches", "find_stretches"]

_NOISE_LEVELS = (0.05, 0.1, 0.15, 0.22, 0.3, 0.45)
"""Noise of distances (Å) that is tried; the most likely one counts."""
_START = np.array([0.50, 0.45, 0.05])
_CHANGE = np.array(
    [
        [1.0 - 1 / 80 - 1 / 400, 1 / 80, 1 / 400],
        [1 / 80, 1.0 - 1 / 80 - 1 / 400, 1 / 400],
        [1 / 200, 1 / 200, 1.0 - 1 / 100],
    ]
)
"""Probability of the kind of a first bead, and of the kind of the next bead, by the kind of a bead."""
_SURE = 0.95
"""Probability of a kind of which the model is sure."""


@dataclass(frozen=True, eq=False)
class KindStretches:
    """The kinds of the L beads of a chain.

    Attributes
    ----------
    kinds : numpy.ndarray of int64, shape (L,)
        The most likely sequence of kinds.
    sure : numpy.ndarray of bool, shape (L,)
        Beads whose kind is beyond doubt.
    evidence : float
        Log likelihood ratio (nats) of this model to one without centres of mass.
    """

    kinds: Int64[np.ndarray, "L"]
    sure: Bool[np.ndarray, "L"]
    evidence: float


def find_stretches(types: Int64[np.ndarray, "L"], distances: Float[np.ndarray, "steps"]) -> KindStretches:
    """Find the kinds of the beads of a chain.

    Parameters
    ----------
    types : numpy.ndarray of int64, shape (L,)
        Residue indices.
    distances : numpy.ndarray, shape (L-1,)
        Distance (Å) from each bead to the next; nan where it is not known.
    """
    densities = np.stack([distance_log_densities(types, distances, noise) for noise in _NOISE_LEVELS])
    peak = densities.max(axis=(0, 2, 3), keepdims=True)
    steps = np.exp(densities - peak) * _CHANGE
    messages, log_likelihood = _forward(steps, _START)
    best = int(np.argmax(log_likelihood))
    kinds, probability = _most_likely(steps[best]), _posterior(steps[best], messages[:, best])
    without = np.array([1.0, 0.0, 1.0])
    _, alternative = _forward(steps * without * without[:, None], _START * without)
    sure = probability[np.arange(len(types)), kinds] >= _SURE
    return KindStretches(kinds, sure, float(log_likelihood[best] - alternative.max()))


def _forward(
    steps: Float[np.ndarray, "noise steps kinds kinds"], start: Float[np.ndarray, "kinds"]
) -> tuple[Float[np.ndarray, "L noise kinds"], Float[np.ndarray, "noise"]]:
    """Probability of each kind given the distances before it, and the log likelihood of all distances."""
    message = np.tile(start, (len(steps), 1))
    messages, log_likelihood = [message], np.zeros(len(steps))
    for number in range(steps.shape[1]):
        message = (message[:, None] @ steps[:, number])[:, 0]
        total = message.sum(axis=1, keepdims=True)
        message = message / total
        log_likelihood += np.log(total[:, 0])
        messages.append(message)
    return np.stack(messages), log_likelihood


def _posterior(
    steps: Float[np.ndarray, "steps kinds kinds"], messages: Float[np.ndarray, "L kinds"]
) -> Float[np.ndarray, "L kinds"]:
    """Probability of each kind given all distances."""
    message = np.ones(N_KINDS)
    backward = [message]
    for step in steps[::-1]:
        message = step @ message
        message = message / message.sum()
        backward.append(message)
    probability = messages * np.stack(backward[::-1])
    return np.asarray(probability / probability.sum(axis=1, keepdims=True))


def _most_likely(steps: Float[np.ndarray, "steps kinds kinds"]) -> Int64[np.ndarray, "L"]:
    """The most likely sequence of kinds (Viterbi)."""
    score, origins = np.log(_START), []
    for step in np.log(np.maximum(steps, 1e-300)):
        total = score[:, None] + step
        origins.append(total.argmax(axis=0))
        score = total.max(axis=0)
    kind = int(score.argmax())
    kinds = [kind]
    for origin in origins[::-1]:
        kind = int(origin[kind])
        kinds.append(kind)
    return np.array(kinds[::-1], dtype=np.int64)
