"""Methods are chains of programs; what they have in common is built once."""

from __future__ import annotations

import pytest
from exchange import backbone_text, trace_text
from methods import METHODS, build
from peptides import pdb_text, structure
from programs import ProgramError
from workers import Cost

COST = Cost(2.0, 1.0, 3.0, 4.0, 1)


class FakeWorker:
    """Writes a given text whatever it is asked, and remembers what it was asked."""

    def __init__(self, folder, name, text):
        self.path, self.asked = folder / f"{name}.pdb", []
        self.path.write_text(text)

    def run(self, text):
        self.asked.append(text)
        return self.path, COST


@pytest.fixture
def native():
    made = structure("MKTAYIG")
    made.present[:, 14] = False
    return made


@pytest.fixture
def workers(tmp_path, native):
    """Programs that all give back the native, with one atom moved by one of them."""
    text = pdb_text(native)
    moved = text.replace(f"{native.atoms[0, 3, 0, 0]:8.3f}", f"{native.atoms[0, 3, 0, 0] + 1:8.3f}")
    return {
        name: FakeWorker(tmp_path, name, moved if name == "cgback" else text)
        for name in ("cgback", "pyfaspr", "latcpb")
    }


def test_side_chains_are_packed_on_what_the_method_before_has_built(native, workers):
    known = {}
    first = build(METHODS["cgback"], native, workers.get, known)
    both = build(METHODS["cgback+faspr"], native, workers.get, known)
    assert workers["cgback"].asked == [trace_text(native)]
    assert workers["pyfaspr"].asked == [backbone_text(first.structure)]
    assert backbone_text(first.structure) != backbone_text(native)
    assert (first.costs, both.costs) == ((COST,), (COST, COST))


def test_the_native_costs_nothing_and_is_itself(native, workers):
    assert build(METHODS["native"], native, workers.get, {}).structure is native
    assert build(METHODS["native+faspr"], native, workers.get, {}).costs == (COST,)
    assert workers["pyfaspr"].asked == [backbone_text(native)]


@pytest.mark.parametrize("text", ["END\n", "not a pdb\n"])
def test_an_output_that_is_not_the_chain_is_a_failure(native, workers, text):
    workers["latcpb"].path.write_text(text)
    with pytest.raises(ProgramError):
        build(METHODS["latcpb"], native, workers.get, {})


def test_a_method_is_as_slow_as_its_slowest_program():
    assert METHODS["cgback+faspr"].programs == {"cgback", "pyfaspr"}
    assert METHODS["cgback+faspr"].slow and not METHODS["pulchra+faspr"].slow
    assert METHODS["latcpb+faspr"].peers == {"pyfaspr"}
