"""Steps are counted, reported after a while, and never change a number."""

from __future__ import annotations

import torch

from latcpb_cli.diffusion.step_counter import StepCounter, Steps


class Clock:
    """Moves when a test moves it."""

    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def report(seconds_per_step: float, total: int) -> list[Steps]:
    """Take all steps of three frames; returns what was reported of them."""
    clock, reported = Clock(), []

    def denoise(noisy: torch.Tensor, level: int) -> torch.Tensor:
        clock.seconds += seconds_per_step
        return noisy * level

    counted = StepCounter(reported.append, total, n_frames=3, clock=clock).counting(denoise)
    noisy = torch.arange(4.0)
    for level in range(total, 0, -1):
        assert torch.equal(counted(noisy, level), noisy * level)
    return reported


def test_ten_seconds_pass_before_the_first_report() -> None:
    assert report(seconds_per_step=0.25, total=39) == []
    assert report(seconds_per_step=0.25, total=40) == [Steps(40, 40, 3.0)]


def test_a_second_passes_between_reports() -> None:
    steps = report(seconds_per_step=0.25, total=60)
    assert [each.done for each in steps] == [40, 44, 48, 52, 56, 60]
    assert [each.frames for each in steps] == [3 * each.done / 60 for each in steps]
    assert [each.done for each in report(seconds_per_step=4.0, total=6)] == [3, 4, 5, 6]


def test_steps_read_as_a_sentence_has_them() -> None:
    assert str(Steps(340, 1000, 0.34)) == "step 340 of 1,000"
