"""How far Cα and other beads of an output are from those of the input."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

__all__ = ["CaDisplacement"]


@dataclass(frozen=True)
class CaDisplacement:
    """Sums over the Cα of some frames.

    Attributes
    ----------
    n_beads, n_moved : int
        Cα that were built, and those among them that are not exactly at their input position.
    total, max : float
        Sum and maximum of the distances, Å.
    n_centers, center_total, center_max
        Number, sum and maximum (Å) of the distances of centres of atoms from the beads they should be.
    """

    n_beads: int = 0
    n_moved: int = 0
    total: float = 0.0
    max: float = 0.0
    n_centers: int = 0
    center_total: float = 0.0
    center_max: float = 0.0

    @classmethod
    def from_distances(cls, distances: Float[np.ndarray, "L"]) -> CaDisplacement:
        """Sum distances (Å) of Cα from those of the input, nan for residues without either."""
        known = distances[np.isfinite(distances)]
        total, largest = float(known.sum()), float(known.max(initial=0.0))
        return cls(known.size, int((known > 0).sum()), total, largest)

    def plus(self, other: CaDisplacement) -> CaDisplacement:
        """Join with the sums over other frames."""
        return CaDisplacement(
            self.n_beads + other.n_beads,
            self.n_moved + other.n_moved,
            self.total + other.total,
            max(self.max, other.max),
            self.n_centers + other.n_centers,
            self.center_total + other.center_total,
            max(self.center_max, other.center_max),
        )

    def with_centers(self, distances: Float[np.ndarray, "..."]) -> CaDisplacement:
        """Return the sums with those over distances (Å) of centres of atoms, nan for none."""
        known = distances[np.isfinite(distances)]
        total, largest = float(known.sum()), float(known.max(initial=0.0))
        return replace(self, n_centers=known.size, center_total=total, center_max=largest)

    def center_summary(self) -> dict[str, float]:
        """Mean and largest distance (Å) of centres of atoms from their beads."""
        mean = self.center_total / max(self.n_centers, 1)
        return {"mean": round(mean, 4), "max": round(self.center_max, 4)}

    def summary(self) -> dict[str, float]:
        """Percent of the Cα that moved, mean over all and longest distance in Å."""
        return {
            "percent": round(100.0 * self.n_moved / max(self.n_beads, 1), 2),
            "mean": round(self.total / max(self.n_beads, 1), 4),
            "max": round(self.max, 4),
        }
