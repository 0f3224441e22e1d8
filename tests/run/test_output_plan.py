"""Outputs are checked before any work is done."""

from __future__ import annotations

import os

import pytest
from cg_files import walk, write_ca_pdb, write_trajectory

from latcpb_cli.errors import ExitCode, InputError, OutputError, OutputExistsError, UsageError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.options import BackmapOptions
from latcpb_cli.run.output_plan import OutputPlan

REPLACE, RESUME = BackmapOptions(overwrite=True), BackmapOptions(resume=True)
FILES = ["all.xtc", "all.top.pdb", "all.report.json", "all.report.csv"]


def reserve(output, options: BackmapOptions, inputs=()) -> OutputPlan:
    """Reserve an output, and give it back."""
    with OutputPlan.reserve(output, options, inputs) as plan:
        return plan


def test_files_of_a_run(tmp_path):
    plan = reserve(tmp_path / "all.xtc", BackmapOptions())
    assert [path.name for path in plan.files] == FILES
    plan = reserve(str(tmp_path / "all.pdb"), BackmapOptions(report=False))
    assert [path.name for path in plan.files] == ["all.pdb"]


@pytest.mark.parametrize("name", FILES)
def test_existing_files_are_refused(tmp_path, name):
    (tmp_path / name).write_text("precious")
    with pytest.raises(OutputExistsError, match=f"{name}: exists already") as caught:
        reserve(tmp_path / "all.xtc", BackmapOptions())
    assert caught.value.exit_code is ExitCode.OUTPUT_EXISTS
    reserve(tmp_path / "all.xtc", REPLACE)
    with pytest.raises(OutputExistsError):
        reserve(tmp_path / "all.xtc", RESUME).refuse_existing()
    assert (tmp_path / name).read_text() == "precious"


def test_a_report_that_is_not_written_may_exist(tmp_path):
    (tmp_path / "all.report.json").touch()
    reserve(tmp_path / "all.xtc", BackmapOptions(report=False))


@pytest.mark.parametrize("name", FILES)
def test_a_folder_is_never_replaced(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(OutputExistsError, match=f"{name}: is a folder"):
        reserve(tmp_path / "all.xtc", REPLACE)


@pytest.mark.parametrize("name", ["all.xtc", "all.top.pdb"])
def test_an_input_is_never_replaced(tmp_path, name):
    (tmp_path / name).touch()
    (tmp_path / "link.xtc").symlink_to(tmp_path / name)
    for given in (tmp_path / name, tmp_path / "link.xtc"):
        with pytest.raises(UsageError, match=f"{name}: is an input"):
            reserve(tmp_path / "all.xtc", REPLACE, [given])


def test_formats_and_folders_that_are_not_possible(tmp_path):
    with pytest.raises(UsageError, match=r"cannot write format '\.docx'"):
        reserve(tmp_path / "a.docx", BackmapOptions())
    with pytest.raises(UsageError, match="is no file name"):
        reserve("", BackmapOptions())
    with pytest.raises(OutputError, match="no such folder"):
        reserve(tmp_path / "nowhere" / "a.pdb", BackmapOptions())
    with pytest.raises(OutputError, match="the name is too long"):
        reserve(tmp_path / f"{'n' * 240}.xtc", BackmapOptions())
    assert not list(tmp_path.iterdir())


def test_a_reserved_output_is_refused(tmp_path):
    with OutputPlan.reserve(tmp_path / "all.xtc", REPLACE):
        for options in (REPLACE, RESUME, BackmapOptions()):
            with pytest.raises(OutputError, match="another run is writing it"):
                reserve(tmp_path / "all.xtc", options)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="cannot be written to"):
        reserve(tmp_path / "a.pdb", BackmapOptions())
    tmp_path.chmod(0o700)


def source(folder, positions):
    length = positions.shape[1]
    top = write_ca_pdb(folder / "cg.pdb", "G" * length, walk(length))
    return open_source([write_trajectory(folder / "t.dcd", positions)], top)


@pytest.mark.parametrize("shift", [9980.0, -1010.0])
def test_coordinates_that_a_pdb_cannot_hold(tmp_path, shift):
    positions = walk(10, 3)
    positions[2] += shift
    far = source(tmp_path, positions)
    with pytest.raises(InputError, match=r"frame 2, residue A:GLY\d+: coordinates beyond") as caught:
        reserve(tmp_path / "a.pdb", BackmapOptions(report=False)).check_fit(far, 1)
    assert ".xtc" in caught.value.hint
    reserve(tmp_path / "a.xtc", BackmapOptions(report=False)).check_fit(far, 1)


def test_an_exploded_frame_is_written_in_part(tmp_path):
    """Its problem is reported later; it does not keep the others from being written."""
    positions = walk(10, 3)
    positions[2] *= 2000.0
    exploded = source(tmp_path, positions)
    reserve(tmp_path / "a.pdb", BackmapOptions(report=False)).check_fit(exploded, 1)


def test_models_that_a_pdb_cannot_count(tmp_path):
    few = source(tmp_path, walk(4, 2))
    plan = reserve(tmp_path / "a.pdb", BackmapOptions(report=False))
    plan.check_fit(few, 4999)
    with pytest.raises(InputError, match="10,000 models"):
        plan.check_fit(few, 5000)
