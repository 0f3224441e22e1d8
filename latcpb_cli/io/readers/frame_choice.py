"""Which frames of a trajectory are used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latcpb_cli.errors import InputError, UsageError
from latcpb_cli.io.readers.frames import Trajectory

__all__ = ["FrameChoice"]


@dataclass(frozen=True)
class FrameChoice:
    """A choice of frames, as the user gives it.

    Attributes
    ----------
    begin, end : float or None
        Times in ps, both included.
    stride : int
        Use every n-th frame of what is left.
    frames : str or None
        Python slice ``start:stop:step`` or a single number; excludes the rest.
    """

    begin: float | None = None
    end: float | None = None
    stride: int = 1
    frames: str | None = None

    def __post_init__(self) -> None:
        if self.stride < 1:
            raise UsageError(f"--stride {self.stride} is not possible", "give a number from 1 up")
        if self.frames is not None and (self.begin is not None or self.end is not None or self.stride != 1):
            raise UsageError("--frames excludes --begin, --end and --stride", "give one or the other")
        self._slice()

    @property
    def open_ended(self) -> bool:
        """True where the choice reaches to the last frame, whichever that is."""
        if self.frames is not None:
            return self._slice().stop is None
        return self.end is None

    def apply(self, trajectory: Trajectory) -> np.ndarray:
        """List the chosen frames.

        Returns
        -------
        numpy.ndarray of int64
            Frame numbers, rising.

        Raises
        ------
        InputError
            If no frame is left.
        """
        n_frames = len(trajectory)
        if self.frames is not None:
            chosen = np.arange(n_frames)[self._slice()]
        else:
            chosen = np.arange(n_frames)
            if self.begin is not None or self.end is not None:
                chosen = chosen[self._in_window(trajectory)]
            chosen = chosen[:: self.stride]
        if len(chosen) == 0:
            first, last = trajectory.read(0).time, trajectory.read(n_frames - 1).time
            raise InputError(
                f"no frame is left of {n_frames} in {trajectory.files[0].path}",
                f"its frames are 0 to {n_frames - 1}, its times {first:g} to {last:g} ps",
            )
        return chosen

    def _slice(self) -> slice:
        if self.frames is None:
            return slice(None)
        parts = self.frames.split(":")
        try:
            numbers = [int(part) if part.strip() else None for part in parts]
        except ValueError:
            numbers = []
        if not 1 <= len(numbers) <= 3 or (len(numbers) == 3 and (numbers[2] or 1) < 1):
            raise UsageError(
                f"--frames '{self.frames}' is not understood", "give start:stop:step, for instance 100:200:5"
            )
        if len(numbers) == 1:
            at = numbers[0]
            if at is None:
                raise UsageError("--frames is empty", "give start:stop:step, for instance 100:200:5")
            return slice(at, at + 1 if at != -1 else None)
        return slice(*numbers)

    def _in_window(self, trajectory: Trajectory) -> np.ndarray:
        begin = -np.inf if self.begin is None else self.begin
        end = np.inf if self.end is None else self.end
        times = np.array([trajectory.read(index).time for index in range(len(trajectory))])
        # XTC and TRR keep times in single precision.
        slack = 1e-6 * np.maximum(np.abs(times), 1.0)
        return (times >= begin - slack) & (times <= end + slack)
