"""What is drawn of a frame: one best answer, or samples."""

from __future__ import annotations

from typing import Literal

from latcpb_cli.errors import UsageError

__all__ = ["Mode", "choose_mode"]

Mode = Literal["best", "ensemble", "exact"]


def choose_mode(mode: Mode | None, samples: int) -> Mode:
    """Settle the mode, which ``samples`` decides where it is not given.

    Raises
    ------
    UsageError
        Several samples in best mode, which has one answer only.
    """
    if mode == "best" and samples > 1:
        raise UsageError(
            f"mode best gives one structure per frame, not {samples}", "use mode ensemble, or one sample"
        )
    return mode or ("best" if samples == 1 else "ensemble")
