"""Cα of head-to-tail cyclic peptides: pleated polygons, round or with two residues pulled together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.optimize import minimize

__all__ = ["SEQUENCES", "ca_ring", "pulled_ring", "write_chains"]

_STEP, _VIRTUAL_ANGLE = 3.8, np.radians(110.0)
_MIN_SPAN, _MAX_SPAN = 5.4, 6.9  # Å between a Cα and the next but one
_CONTACT = 4.6  # Å between other Cα

SEQUENCES = {
    6: "GLY ALA PRO LEU SER PHE",
    10: "LEU ALA LYS GLU VAL TRP GLY SER THR ARG",
    14: "GLY ARG CYS THR LYS SER ILE PRO PRO ILE CYS PHE ALA ASP",
    30: " ".join(["GLY LEU ARG VAL ASP GLU THR SER PHE TRP ILE ALA LYS ASN GLN"] * 2),
}
"""Residue names by the number of residues."""


def ca_ring(length: int, center: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> np.ndarray:
    """Cα (L, 3) of a ring of an even number of residues, 3.8 Å apart, with virtual angles of 110°."""
    span = 2 * _STEP * np.sin(_VIRTUAL_ANGLE / 2)
    radius = span / (2 * np.sin(2 * np.pi / length))
    height = np.sqrt(_STEP**2 - (2 * radius * np.sin(np.pi / length)) ** 2) / 2
    angle = 2 * np.pi / length * np.arange(length)
    columns = radius * np.cos(angle), radius * np.sin(angle), height * (-1.0) ** np.arange(length)
    return np.stack(columns, axis=1) + np.array(center)


def pulled_ring(length: int, first: int, second: int, distance: float) -> np.ndarray:
    """Cα of a ring in which two residues are so far (Å) apart, and others no nearer than Cα can be."""
    one, two = np.triu_indices(length, 1)
    apart = np.minimum(two - one, length - two + one)
    low = np.select([apart == 1, apart == 2], [_STEP, _MIN_SPAN], _CONTACT)
    high = np.select([apart == 1, apart == 2], [_STEP, _MAX_SPAN], np.inf)
    pair = (one == first) & (two == second)
    low[pair] = high[pair] = distance

    def energy(flat: np.ndarray) -> tuple[float, np.ndarray]:
        points = flat.reshape(-1, 3)
        step = points[two] - points[one]
        found = np.linalg.norm(step, axis=1)
        violation = found - np.clip(found, low, high)
        force = (violation / found)[:, None] * step
        gradient = np.zeros_like(points)
        np.add.at(gradient, two, force)
        np.add.at(gradient, one, -force)
        return 0.5 * float(violation @ violation), gradient.ravel()

    result = minimize(energy, ca_ring(length).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 5000})
    points: np.ndarray = result.x.reshape(-1, 3)
    return points


def write_chains(path: Path, *chains: tuple[str, np.ndarray], head: str = "") -> Path:
    """Write a Cα PDB file of chains A, B, ..., each given by its residue names (by blanks) and positions."""
    lines, serial = [head] if head else [], 0
    for letter, (names, points) in zip("ABCD", chains, strict=False):
        for number, (name, (x, y, z)) in enumerate(zip(names.split(), points, strict=True), start=1):
            serial += 1
            residue = f"{name:3s} {letter}{number:4d}"
            lines.append(f"ATOM  {serial:5d}  CA  {residue}    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00")
        lines.append("TER")
    path.write_text("\n".join([*lines, "END", ""]))
    return path
