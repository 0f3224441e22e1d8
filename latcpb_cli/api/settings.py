"""Keyword arguments as options."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from latcpb_cli.errors import UsageError
from latcpb_cli.options import BackmapOptions
from latcpb_cli.read_options import FrameWindow, ReadOptions

__all__ = ["frame_window", "split_settings"]

_RUN_ONLY = ("report", "overwrite", "resume")
"""Options of files, which memory does not have."""
_SETTINGS = {
    field.name: options
    for options in (ReadOptions, BackmapOptions)
    for field in fields(options)
    if field.name not in _RUN_ONLY
}


def split_settings(
    settings: dict[str, Any], frames: slice | str | None = None
) -> tuple[ReadOptions, BackmapOptions]:
    """Divide keyword arguments into how an input is read, and how frames become atoms.

    Raises
    ------
    UsageError
        A setting is not known or not possible.
    """
    unknown = sorted(set(settings) - set(_SETTINGS))
    if unknown:
        raise UsageError(f"there is no setting {unknown[0]!r}", f"choose from {', '.join(sorted(_SETTINGS))}")
    of_reading = {name: value for name, value in settings.items() if _SETTINGS[name] is ReadOptions}
    reading = ReadOptions(**of_reading)
    options = BackmapOptions(**{name: settings[name] for name in settings.keys() - of_reading.keys()})
    if frames is not None:
        reading = replace(reading, window=frame_window(frames))
    return reading, options


def frame_window(frames: slice | str | None) -> FrameWindow:
    """Return the window of some frames, of all of them for None.

    Raises
    ------
    UsageError
        It is no slice.
    """
    if frames is None:
        return FrameWindow()
    return FrameWindow(frames=frames if isinstance(frames, str) else _slice_text(frames))


def _slice_text(frames: slice) -> str:
    """Write a slice as the command line has it."""
    if not isinstance(frames, slice):
        raise UsageError(f"frames={frames!r} is no slice", "give slice(0, 100, 10), or '0:100:10'")
    parts = (frames.start, frames.stop, frames.step)
    return ":".join("" if part is None else str(part) for part in parts)
