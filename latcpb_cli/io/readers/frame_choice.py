"""Which frames of a trajectory are used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int

from latcpb_cli.errors import InputError
from latcpb_cli.io.readers.frames import Trajectory
from latcpb_cli.read_options import FrameWindow

__all__ = ["FrameChoice", "choose_frames"]

_TIME_TOLERANCE = 1e-6
"""Relative; XTC and TRR files keep times in single precision."""


@dataclass(frozen=True, eq=False)
class FrameChoice:
    """The frames of a trajectory that are used.

    Attributes
    ----------
    numbers : numpy.ndarray of int64, shape (F,)
        Frame numbers in rising order, at least one.
    notes, warnings : tuple of str
        What was done about times that repeat or fall, and what was not, one line each.
    """

    numbers: Int[np.ndarray, "F"]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def choose_frames(window: FrameWindow, trajectory: Trajectory, drop_repeated: bool = False) -> FrameChoice:
    """Choose the frames of a trajectory that lie in a window.

    Parts of a run that was restarted from a checkpoint overlap: the times
    of the later part begin before the last ones of the part before.

    Parameters
    ----------
    window : FrameWindow
    trajectory : Trajectory
    drop_repeated : bool
        Whether frames are left out that a later frame repeats: those whose
        time is not before the times of all later frames.

    Returns
    -------
    FrameChoice

    Raises
    ------
    InputError
        If no frame lies in the window, or repeated times are to be left out
        of files without times.
    """
    n_frames = len(trajectory)
    chosen = np.arange(n_frames)[window.slice]
    times = trajectory.read_times()
    if window.begin is not None or window.end is not None:
        chosen = chosen[_in_time_window(window, trajectory, times)]
    notes, warnings = [], []
    if times is None and drop_repeated:
        path = next(file.path for file in trajectory.files if file.read_times() is None)
        raise InputError(f"{path}: it holds no times", "leave out --drop-repeated-times")
    if times is not None:
        repeated = _is_repeated(times[chosen])
        if repeated.any() and drop_repeated:
            notes.append(f"left out, their times come again: {_count_frames(repeated, chosen)}")
            chosen = chosen[~repeated]
        elif repeated.any():
            warnings.append(_describe_fall(trajectory, times, chosen, repeated))
    chosen = chosen[:: window.stride]
    if len(chosen) == 0:
        first, last = trajectory.read(0).time, trajectory.read(n_frames - 1).time
        raise InputError(
            f"no frame is left of {n_frames} in {trajectory.files[0].path}",
            f"its frames are 0 to {n_frames - 1}, its times {first:g} to {last:g} ps",
        )
    return FrameChoice(chosen, tuple(notes), tuple(warnings))


def _in_time_window(
    window: FrameWindow, trajectory: Trajectory, times: Float64[np.ndarray, "all"] | None
) -> Bool[np.ndarray, "all"]:
    """Mark the frames whose time lies between the two ends, both included."""
    begin = -np.inf if window.begin is None else window.begin
    end = np.inf if window.end is None else window.end
    if times is None:
        times = np.array([trajectory.read(index).time for index in range(len(trajectory))])
    tolerance = _tolerance(times)
    inside: np.ndarray = (times >= begin - tolerance) & (times <= end + tolerance)
    return inside


def _is_repeated(times: Float64[np.ndarray, "F"]) -> Bool[np.ndarray, "F"]:
    """Mark the frames whose time is not before the times of all later frames."""
    repeated = np.zeros(len(times), dtype=bool)
    earliest_later = np.minimum.accumulate(times[::-1])[::-1]
    repeated[:-1] = times[:-1] >= earliest_later[1:] - _tolerance(times[:-1])
    return repeated


def _tolerance(times: Float64[np.ndarray, "F"]) -> Float64[np.ndarray, "F"]:
    return np.asarray(_TIME_TOLERANCE * np.maximum(np.abs(times), 1.0))


def _describe_fall(
    trajectory: Trajectory,
    times: Float64[np.ndarray, "all"],
    chosen: Int[np.ndarray, "F"],
    repeated: Bool[np.ndarray, "F"],
) -> str:
    """Describe where times first repeat or fall."""
    row = int(np.flatnonzero(np.diff(times[chosen]) <= _tolerance(times[chosen][:-1]))[0])
    before, after = int(chosen[row]), int(chosen[row + 1])
    return (
        f"times repeat or fall: {trajectory.locate(after)[0].path.name} has {times[after]:g} ps after "
        f"{times[before]:g} ps; --drop-repeated-times leaves out {_count_frames(repeated, chosen)} "
        "and keeps the later ones"
    )


def _count_frames(repeated: Bool[np.ndarray, "F"], chosen: Int[np.ndarray, "F"]) -> str:
    """Count the repeated frames and name the first and the last of them."""
    numbers = chosen[repeated]
    if len(numbers) == 1:
        return f"frame {numbers[0]}"
    return f"{len(numbers):,} frames, {numbers[0]} to {numbers[-1]}"
