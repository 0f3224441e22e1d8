"""Progress on stderr: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["FrameProgress"]

_SECONDS_BETWEEN_LINES = 5.0


class FrameProgress:
    """Shows frames done, residues per second and the time left; a context manager.

    Parameters
    ----------
    console : rich.console.Console
        On stderr.
    n_frames : int
    residues_per_frame : int
        Residues times samples.
    quiet : bool
        Show nothing.
    unit : str
        What is counted, if not frames; then without a speed.
    activity : str
        What the bar is called.
    """

    def __init__(
        self,
        console: Console,
        n_frames: int,
        residues_per_frame: int,
        quiet: bool,
        unit: str = "frames",
        activity: str = "backmapping",
    ) -> None:
        self._unit = unit
        self._console = console
        self._n_frames = n_frames
        self._per_frame = residues_per_frame
        self._plain = not quiet and not console.is_terminal
        self._started = self._last_line = time.monotonic()
        self._before: int | None = None
        self._bar = Progress(
            TextColumn(activity),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(f"{unit}  {{task.fields[speed]}}  time left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=quiet or not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=n_frames, speed="")

    def update(self, done: int) -> None:
        """Show that so many frames are done; those of the first call were done before."""
        now = time.monotonic()
        if self._before is None:
            self._before = done
        speed = (done - self._before) * self._per_frame / max(now - self._started, 1e-9)
        self._bar.update(self._task, completed=done, speed=self._speed(speed))
        due = now - self._last_line >= _SECONDS_BETWEEN_LINES
        if self._plain and due and done < self._n_frames:
            left = (self._n_frames - done) * self._per_frame / max(speed, 1e-9)
            self._console.print(
                f"{done} of {self._n_frames} {self._unit}, {self._speed(speed)} {left:,.0f} s left",
                highlight=False,
            )
            self._last_line = now

    def _speed(self, residues_per_second: float) -> str:
        return f"{residues_per_second:,.0f} residues/s," if self._unit == "frames" else ""

    def __enter__(self) -> FrameProgress:
        self._bar.__enter__()
        self._started = self._last_line = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.__exit__(kind, error, trace)
