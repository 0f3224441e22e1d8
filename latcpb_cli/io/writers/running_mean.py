"""Means over the structures of a run, kept on the disk so that an interrupted run goes on with them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from jaxtyping import Float

from latcpb_cli.errors import OutputError
from latcpb_cli.io.writers.part_file import PartFile, PartState, PartStates

__all__ = ["RunningMean"]


class RunningMean:
    """Means of an array of values over structures; NaN is left out.

    Its file has a fixed size and holds two states, each a number of structures with the sums and counts so
    far. `flush` replaces the older of the two, so that a crash leaves the one of the journal.

    Parameters
    ----------
    final : pathlib.Path
        Name of the file without ``.part``; it never becomes final.
    shape : tuple of int
        Of the array.
    resume : mapping of str to PartState, optional
        What the files of an interrupted run hold.
    n_structures : int
        Structures of the interrupted run.

    Attributes
    ----------
    part : PartFile

    Raises
    ------
    OutputError
        The file to continue is missing or damaged, or cannot be written.
    """

    def __init__(
        self, final: Path, shape: tuple[int, ...], resume: PartStates | None = None, n_structures: int = 0
    ) -> None:
        self._shape = shape
        self._state = np.zeros(1 + 2 * math.prod(shape))
        self._slot = 0
        self.part = PartFile(final, resume, slice(0, 2 * self._state.nbytes))
        if resume is None:
            self.part.write(bytes(2 * self._state.nbytes))
            return
        states = np.fromfile(self.part.path).reshape(2, -1)
        slots = np.flatnonzero(states[:, 0] == n_structures)
        if not len(slots):
            raise OutputError(f"{self.part.path}: is not that of this run", "begin again, without --resume")
        self._slot = int(slots[0])
        self._state = states[self._slot]

    def add(self, values: Float[np.ndarray, "..."]) -> None:
        """Add the values of a structure."""
        known = np.isfinite(values)
        sums, counts = self._state[1:].reshape(2, *self._shape)
        self._state[0] += 1
        sums += np.where(known, values, 0.0)
        counts += known

    def add_chunk(self, values: Float[np.ndarray, "F S ..."]) -> None:
        """Add the values of each sample of each frame."""
        for structure in values.reshape(-1, *self._shape):
            self.add(structure)

    def flush(self) -> None:
        """Write the present state beside the last one."""
        self._slot = 1 - self._slot
        self.part.patch(self._slot * self._state.nbytes, self._state.tobytes())

    def sync(self) -> PartState:
        """Flush to the disk, and return the state of the file."""
        self.flush()
        return self.part.sync()

    def mean(self) -> Float[np.ndarray, "..."]:
        """Return the means; NaN where there is no value."""
        sums, counts = self._state[1:].reshape(2, *self._shape)
        means = np.divide(sums, counts, out=np.full(self._shape, np.nan), where=counts > 0)
        return np.asarray(means)
