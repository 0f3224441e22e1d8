"""Progress on stderr: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from latcpb_cli.diffusion.step_counter import Steps

__all__ = ["FrameProgress"]

_SECONDS_BETWEEN_LINES = 5.0


class FrameProgress:
    """Shows frames done, residues per second or steps, and the time left; a context manager.

    Threads may share it.

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
        self._done = 0
        self._lock = Lock()
        self._bar = Progress(
            TextColumn(activity),
            BarColumn(),
            TextColumn(f"{{task.fields[done]}}/{n_frames} {unit}  {{task.fields[detail]}}time left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=quiet or not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=n_frames, done=0, detail="")

    def update(self, done: int) -> None:
        """Show that so many frames are done; those of the first call were done before."""
        with self._lock:
            if self._before is None:
                self._before, self._started = done, time.monotonic()
            self._done = done
            self._show(0.0)

    def steps(self, steps: Steps) -> None:
        """Show the steps of frames that are being built."""
        with self._lock:
            # How much of a file its frames are is not known.
            self._show(steps.frames if self._unit == "frames" else 0.0, str(steps))

    def _show(self, in_work: float, steps: str = "") -> None:
        """Show the frames done, and so many more that are built in part."""
        now, built = time.monotonic(), self._done + in_work
        per_second = (built - (self._before or 0)) / max(now - self._started, 1e-9)
        speed = f"{per_second * self._per_frame:,.0f} residues/s" if self._unit == "frames" else ""
        detail = steps or speed
        shown = detail and f"{detail}, "
        self._bar.update(self._task, completed=built, done=self._done, detail=shown)
        due = now - self._last_line >= _SECONDS_BETWEEN_LINES
        if self._plain and due and self._done < self._n_frames:
            left = f"{(self._n_frames - built) / per_second:,.0f} s left" if per_second > 0 else ""
            parts = [f"{self._done} of {self._n_frames} {self._unit}", detail, left]
            self._console.print(", ".join(filter(None, parts)), highlight=False)
            self._last_line = now

    def __enter__(self) -> FrameProgress:
        self._bar.__enter__()
        self._started = self._last_line = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.__exit__(kind, error, trace)
