"""How many steps the sampler has taken, for frames that take longer than a moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from latcpb_cli.diffusion.sampler import Denoise

__all__ = ["OnSteps", "StepCounter", "Steps"]

_SECONDS_WITHOUT_STEPS = 10.0
"""Frames that take less time than this are not worth a number that changes."""
_SECONDS_BETWEEN_STEPS = 1.0


@dataclass(frozen=True)
class Steps:
    """Steps of the sampler, out of all that some frames need.

    Attributes
    ----------
    done, total : int
        Evaluations of the denoiser, for all blocks and samples of the frames.
    frames : float
        The same in frames: half of the steps of four frames are two frames.
    """

    done: int
    total: int
    frames: float

    def __str__(self) -> str:
        return f"step {self.done:,} of {self.total:,}"


OnSteps = Callable[[Steps], None]
"""Called about once a second with the steps taken so far, after ten seconds."""


class StepCounter:
    """Counts the evaluations of a denoiser, and reports them after the first ten seconds.

    Parameters
    ----------
    on_steps : OnSteps
    total : int
        Evaluations that the frames need.
    n_frames : int
    clock : callable
        Seconds.
    """

    def __init__(
        self, on_steps: OnSteps, total: int, n_frames: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._on_steps, self._total, self._n_frames, self._clock = on_steps, total, n_frames, clock
        self._done, self._due = 0, clock() + _SECONDS_WITHOUT_STEPS

    def counting(self, denoise: Denoise) -> Denoise:
        """Return a denoiser with the same results whose evaluations are counted."""

        def counted(noisy: Tensor, level: int) -> Tensor:
            velocity = denoise(noisy, level)
            self._count()
            return velocity

        return counted

    def _count(self) -> None:
        self._done += 1
        now = self._clock()
        if now >= self._due:
            self._due = now + _SECONDS_BETWEEN_STEPS
            self._on_steps(Steps(self._done, self._total, self._n_frames * self._done / self._total))
