"""Which frames of a trajectory are used."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int

from latcpb_cli.errors import InputError
from latcpb_cli.io.readers.frames import Trajectory
from latcpb_cli.options import FrameWindow

__all__ = ["choose_frames"]

_TIME_TOLERANCE = 1e-6
"""Relative; XTC and TRR files keep times in single precision."""


def choose_frames(window: FrameWindow, trajectory: Trajectory) -> Int[np.ndarray, "F"]:
    """List the frames of a trajectory that lie in a window.

    Parameters
    ----------
    window : FrameWindow
    trajectory : Trajectory

    Returns
    -------
    numpy.ndarray of int64, shape (F,)
        Frame numbers in rising order, at least one.

    Raises
    ------
    InputError
        If no frame lies in the window.
    """
    n_frames = len(trajectory)
    chosen = np.arange(n_frames)[window.slice]
    if window.begin is not None or window.end is not None:
        chosen = chosen[_in_time_window(window, trajectory)]
    chosen = chosen[:: window.stride]
    if len(chosen) == 0:
        first, last = trajectory.read(0).time, trajectory.read(n_frames - 1).time
        raise InputError(
            f"no frame is left of {n_frames} in {trajectory.files[0].path}",
            f"its frames are 0 to {n_frames - 1}, its times {first:g} to {last:g} ps",
        )
    return chosen


def _in_time_window(window: FrameWindow, trajectory: Trajectory) -> Bool[np.ndarray, "all"]:
    """Mark the frames whose time lies between the two ends, both included."""
    begin = -np.inf if window.begin is None else window.begin
    end = np.inf if window.end is None else window.end
    times = np.array([trajectory.read(index).time for index in range(len(trajectory))])
    tolerance = _TIME_TOLERANCE * np.maximum(np.abs(times), 1.0)
    inside: np.ndarray = (times >= begin - tolerance) & (times <= end + tolerance)
    return inside
