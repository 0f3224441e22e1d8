"""Methods are chains of programs; a step that two of them share is run once."""

from __future__ import annotations

import numpy as np
import pytest
from cg_files import FakeModel
from driver import latcpb
from exchange import backbone_text, read_back, trace_text
from methods import LADDER, METHODS, reconstruct
from peptides import pdb_text, structure
from programs import PROGRAMS, ProgramError
from workers import Cost

COST = Cost(2.0, 1.0, 3.0, 4.0, 1)


class FakeWorker:
    """Returns a given PDB for every input, and records the inputs."""

    def __init__(self, folder, name, text):
        self.path, self.inputs = folder / f"{name}.pdb", []
        self.path.write_text(text)

    def run(self, text):
        self.inputs.append(text)
        return self.path, COST


@pytest.fixture
def native():
    peptide = structure("MKTAYIG")
    peptide.present[:, 14] = False
    return peptide


@pytest.fixture
def workers(tmp_path, native):
    """Programs that return the native; one of them moves an atom."""
    text = pdb_text(native)
    moved = text.replace(f"{native.atoms[0, 3, 0, 0]:8.3f}", f"{native.atoms[0, 3, 0, 0] + 1:8.3f}")
    return {
        name: FakeWorker(tmp_path, name, moved if name == "cgback" else text)
        for name in ("cgback", "pyfaspr", "ligandmpnn", "latcpb")
    }


def test_side_chains_are_packed_on_the_backbone_of_the_method_before(native, workers):
    cache = {}
    first = reconstruct(METHODS["cgback"], native, workers.get, cache)
    both = reconstruct(METHODS["cgback+faspr"], native, workers.get, cache)
    assert workers["cgback"].inputs == [trace_text(native)]
    assert workers["pyfaspr"].inputs == [backbone_text(first.structure)]
    assert backbone_text(first.structure) != backbone_text(native)
    assert (first.costs, both.costs) == ((COST,), (COST, COST))


@pytest.mark.parametrize(("packer", "program"), [("faspr", "pyfaspr"), ("ligandmpnn", "ligandmpnn")])
def test_packers_get_the_native_backbone_and_that_of_latcpb(native, workers, packer, program):
    """The native is returned without cost; a packer on it costs its own run only."""
    cache = {}
    assert reconstruct(METHODS["native"], native, workers.get, cache).structure is native
    assert reconstruct(METHODS[f"native+{packer}"], native, workers.get, cache).costs == (COST,)
    workers["latcpb"].path.write_text(workers["cgback"].path.read_text())
    rebuilt = reconstruct(METHODS["latcpb"], native, workers.get, cache)
    assert reconstruct(METHODS[f"latcpb+{packer}"], native, workers.get, cache).costs == (COST, COST)
    assert workers[program].inputs == [backbone_text(native), backbone_text(rebuilt.structure)]
    assert workers[program].inputs[0] != workers[program].inputs[1]
    assert METHODS[f"native+{packer}"].peers == METHODS[f"latcpb+{packer}"].peers == {program}


def test_latcpb_keeps_the_native_backbone(native, tmp_path, monkeypatch):
    """The worker's latcpb gets N, CA, C and O, and all of them are in its output."""
    monkeypatch.setattr("latcpb_cli.loaded_model.LoadedModel", FakeModel)
    program = PROGRAMS[METHODS["native+latcpb"].program]
    source, target = tmp_path / "in.pdb", tmp_path / "out.pdb"
    source.write_text(backbone_text(native))
    latcpb(**program.settings)(str(source), str(target))
    built = read_back(target, native)
    np.testing.assert_allclose(built.atoms[:, :, :4], native.atoms[:, :, :4], atol=6e-4)
    assert METHODS["native+latcpb"].peers == set()


@pytest.mark.parametrize("text", ["END\n", "not a pdb\n"])
def test_an_output_that_is_not_the_chain_is_a_failure(native, workers, text):
    workers["latcpb"].path.write_text(text)
    with pytest.raises(ProgramError):
        reconstruct(METHODS["latcpb"], native, workers.get, {})


def test_a_method_is_as_slow_as_its_slowest_program():
    assert METHODS["cgback+faspr"].programs == {"cgback", "pyfaspr"}
    assert METHODS["cgback+faspr"].slow and not METHODS["pulchra+faspr"].slow
    assert METHODS["latcpb+faspr"].peers == {"pyfaspr"}


def test_the_ladder_adds_one_part_after_the_other():
    settings = [PROGRAMS[method.program].settings for method in LADDER.values()]
    assert [one["mode"] for one in settings] == ["exact", "ensemble", *["best"] * 5]
    without = [one["without"] for one in settings]
    assert without[:3] == ["peptides,packing,rescoring,relief"] * 3
    assert without[3:] == ["packing,rescoring,relief", "rescoring,relief", "relief", ""]


def test_only_the_exact_sampler_is_slow_on_the_ladder():
    assert [name for name, method in LADDER.items() if method.slow] == ["paper-exact"]
