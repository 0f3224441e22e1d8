"""Cα traces without and with violations, for the tests of trace relaxation."""

from __future__ import annotations

import numpy as np
from tiny import SEQUENCE, coil

from latcpb_cli.chem.residues import letter_index

__all__ = ["TYPES", "chain_links", "helix", "noisy_coils"]

TYPES = letter_index(SEQUENCE)


def noisy_coils(count: int, noise: float) -> np.ndarray:
    """Helical coils (F, L, 3) with Gaussian noise (Å), as beads of a force field without angle terms."""
    displacements = [np.random.default_rng(seed).normal(size=(len(TYPES), 3)) for seed in range(count)]
    return np.array([coil(len(TYPES)).numpy() + noise * x for x in displacements], dtype=np.float32)


def helix(length: int) -> np.ndarray:
    """Cα of an alpha helix, (1, L, 3): rise of 1.5 Å, 100 degrees, radius of 2.3 Å."""
    angle = np.radians(100.0) * np.arange(length)
    points = np.stack([2.3 * np.cos(angle), 2.3 * np.sin(angle), 1.5 * np.arange(length)], axis=-1)
    return points[None].astype(np.float32)


def chain_links(positions: np.ndarray) -> np.ndarray:
    """Links of one chain without breaks, for Cα (F, L, 3)."""
    linked = np.ones(positions.shape[:2], dtype=bool)
    linked[:, -1] = False
    return linked
