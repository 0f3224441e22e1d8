"""What is shown of a run: lines and bars, frames and steps."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from cg_files import write_ca_pdb
from rich.console import Console
from tiny import SEQUENCE, coil, tiny_weights

from latcpb_cli.cli import progress
from latcpb_cli.cli.progress import FrameProgress
from latcpb_cli.diffusion import step_counter
from latcpb_cli.diffusion.step_counter import Steps
from latcpb_cli.loaded_model import LoadedModel


class Display:
    """A display of two frames of 100 residues, and a clock that is set by hand."""

    def __init__(self, monkeypatch, *, terminal=False, quiet=False, unit="frames") -> None:
        monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: self.now))
        self.now, self.file = 0.0, io.StringIO()
        console = Console(file=self.file, force_terminal=terminal, width=120, color_system=None)
        self.shown = FrameProgress(console, 2, 100, quiet, unit)

    def at(self, now: float) -> FrameProgress:
        self.now = now
        return self.shown

    @property
    def lines(self) -> list[str]:
        return self.file.getvalue().splitlines()


def test_lines_have_steps_and_the_time_left(monkeypatch):
    display = Display(monkeypatch)
    with display.shown:
        display.at(3.0).update(0)
        display.at(13.0).steps(Steps(250, 1000, 0.25))
        display.at(14.0).steps(Steps(275, 1000, 0.275))
        display.at(23.0).steps(Steps(500, 1000, 0.5))
        display.at(43.0).update(1)
        display.at(53.0).steps(Steps(1000, 4000, 0.25))
    assert display.lines == [
        "0 of 2 frames, step 250 of 1,000, 70 s left",
        "0 of 2 frames, step 500 of 1,000, 60 s left",
        "1 of 2 frames, 2 residues/s, 40 s left",
        "1 of 2 frames, step 1,000 of 4,000, 30 s left",
    ]


def test_frames_that_were_done_before_took_no_time(monkeypatch):
    display = Display(monkeypatch)
    with display.shown:
        display.at(0.0).update(1)
        display.at(10.0).steps(Steps(10, 20, 0.5))
    assert display.lines == ["1 of 2 frames, step 10 of 20, 10 s left"]


def test_steps_of_a_file_do_not_change_the_time_left(monkeypatch):
    display = Display(monkeypatch, unit="files")
    with display.shown:
        display.at(0.0).update(0)
        display.at(10.0).steps(Steps(10, 20, 3.0))
        display.at(20.0).update(1)
        display.at(30.0).steps(Steps(10, 20, 3.0))
    assert display.lines == [
        "0 of 2 files, step 10 of 20",
        "1 of 2 files, 20 s left",
        "1 of 2 files, step 10 of 20, 30 s left",
    ]


def test_a_bar_has_the_steps_until_the_frame_is_done(monkeypatch):
    display = Display(monkeypatch, terminal=True)

    def text() -> str:
        display.file.truncate(0)
        display.shown._bar.refresh()
        return display.file.getvalue()

    with display.shown:
        display.at(0.0).update(0)
        assert "step" not in text()
        display.at(10.0).steps(Steps(500, 1000, 0.5))
        assert "0/2 frames  step 500 of 1,000, time left" in text()
        assert display.shown._bar.tasks[0].completed == 0.5
        display.at(20.0).update(1)
        assert "1/2 frames  5 residues/s, time left" in text()


@pytest.mark.parametrize("terminal", [True, False])
def test_quiet_shows_nothing(monkeypatch, terminal):
    display = Display(monkeypatch, terminal=terminal, quiet=True)
    with display.shown:
        display.at(0.0).update(0)
        display.at(30.0).steps(Steps(1, 2, 0.5))
    assert display.lines == []


@pytest.fixture
def impatient(folder, monkeypatch):
    """A small model of 20 steps and a chain for it; no second passes before anything is shown."""
    monkeypatch.setattr("latcpb_cli.loaded_model.LoadedModel", LoadedModel)
    monkeypatch.setattr(step_counter, "_SECONDS_WITHOUT_STEPS", 0.0)
    monkeypatch.setattr(step_counter, "_SECONDS_BETWEEN_STEPS", 0.0)
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.0)
    tiny_weights(folder / "weights")
    write_ca_pdb(folder / "coil.pdb", SEQUENCE, coil(len(SEQUENCE)).numpy()[None])
    return folder


def test_mode_exact_shows_its_steps_and_writes_what_it_writes_without(impatient, backmap):
    run = ("coil.pdb", "--weights", "weights", "--mode", "exact", "--device", "cpu", "-o")
    code, messages = backmap(*run, "shown.pdb")
    assert code == 0
    lines = [line for line in messages.splitlines() if line.startswith("0 of 1 frames, step ")]
    assert [line.split(", ")[1] for line in lines] == [f"step {step} of 20" for step in range(1, 21)]
    assert all(line.endswith(" s left") for line in lines)
    assert backmap(*run, "quiet.pdb", "--quiet") == (0, "")
    assert (impatient / "shown.pdb").read_bytes() == (impatient / "quiet.pdb").read_bytes()


@pytest.mark.parametrize("mode", ["best", "ensemble"])
def test_modes_of_few_steps_show_none(impatient, backmap, mode):
    code, messages = backmap("coil.pdb", "--weights", "weights", "--mode", mode, "-o", "out.pdb")
    assert code == 0
    assert "step" not in messages


def test_a_file_of_many_shows_its_steps(impatient, backmap):
    code, messages = backmap("coil.pdb", "--weights", "weights", "--mode", "exact", "-o", "out")
    assert code == 0
    assert "0 of 1 files, step 20 of 20\n" in messages
