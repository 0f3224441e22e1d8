"""Quantities of residues, summed over frames."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float, Int

__all__ = ["SQUARES", "ResidueSums"]

SQUARES = frozenset({"rmsd", "rmsd_backbone", "rmsd_side_chain"})
"""Quantities whose sum is one of squares: the value is the root of the mean."""

Array = np.ndarray
_Sum = tuple[Float[Array, "R"], Float[Array, "R"]]
"""Numerator and denominator of each residue."""


class ResidueSums:
    """Numerators and denominators by the name of a quantity, for R residues.

    Parameters
    ----------
    n_residues : int
    """

    def __init__(self, n_residues: int) -> None:
        self.n_residues = n_residues
        self._sums: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def add(
        self,
        name: str,
        numerator: Float[Array, "n"] | Int[Array, "n"],
        denominator: Float[Array, "n"] | Int[Array, "n"],
        residues: Int[Array, "n"] | None = None,
    ) -> None:
        """Add to a quantity of all residues, or of those given by index, which may repeat."""
        where = np.arange(self.n_residues) if residues is None else residues
        sums = self._sums.setdefault(name, (np.zeros(self.n_residues), np.zeros(self.n_residues)))
        np.add.at(sums[0], where, numerator)
        np.add.at(sums[1], where, denominator)

    def values(self) -> dict[str, Float[Array, "R"]]:
        """Return each quantity by name, NaN where its denominator is zero."""
        return {name: _ratio(name, *sums) for name, sums in self._sums.items()}

    def by_group(self, groups: Iterable[str]) -> dict[str, dict[str, float | int | None]]:
        """Pool residues of one group, for instance of one type; ``residues`` is their number."""
        labels = np.array(list(groups), dtype=object)
        table: dict[str, dict[str, float | int | None]] = {}
        for group in sorted(set(labels.tolist())):
            rows = labels == group
            table[group] = {"residues": int(rows.sum())}
            for name, (numerator, denominator) in self._sums.items():
                value = _ratio(name, numerator[rows].sum(keepdims=True), denominator[rows].sum(keepdims=True))
                table[group][name] = float(value[0]) if np.isfinite(value[0]) else None
        return table

    def spread(self, rows: Int[Array, "R"], n_residues: int) -> ResidueSums:
        """Return the sums as those of some residues, given by index, of a larger structure."""
        larger = ResidueSums(n_residues)
        for name, (numerator, denominator) in self._sums.items():
            larger.add(name, numerator, denominator, rows)
        return larger

    def with_others(self, others: ResidueSums) -> ResidueSums:
        """Return these quantities and other ones of the same residues."""
        both = ResidueSums(self.n_residues)
        both._sums = self._sums | others._sums
        return both

    @classmethod
    def join(cls, parts: Iterable[ResidueSums]) -> ResidueSums:
        """Return the sums of the residues of several structures, one after the other."""
        parts = list(parts)
        whole = cls(sum(part.n_residues for part in parts))
        for name in dict.fromkeys(name for part in parts for name in part._sums):
            columns = [part._sums.get(name, (np.zeros(part.n_residues),) * 2) for part in parts]
            numerator, denominator = (np.concatenate(column) for column in zip(*columns, strict=True))
            whole._sums[name] = numerator, denominator
        return whole


def _ratio(name: str, numerator: Float[Array, "n"], denominator: Float[Array, "n"]) -> Float[Array, "n"]:
    value = np.full(len(numerator), np.nan)
    np.divide(numerator, denominator, out=value, where=denominator > 0)
    return np.sqrt(value) if name in SQUARES else value
