"""What an import leaves behind in the process of other code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

IMPORTS = """
import json, sys
import torch
before = {name: id(value) for name, value in vars(torch.compiler).items()}
modules = {name: id(module) for name, module in sys.modules.items()}
%s
after = {name: id(value) for name, value in vars(torch.compiler).items()}
changed = [name for name in before if after.get(name) != before[name]]
replaced = [name for name in modules if id(sys.modules.get(name)) != modules[name]]
added = {name: module for name, module in sys.modules.items() if name not in modules}
bare = [
    name
    for name, module in added.items()
    if getattr(module, "__spec__", None) is None and not name.startswith(("_cython_", "cython_"))
]
print(json.dumps({"changed": changed, "replaced": replaced, "bare": bare, "sympy": "sympy" in added}))
"""

NEVER_USED = {"torch._dynamo", "torch._meta_registrations", "sympy"}
"""What the quick import leaves out."""
OF_OTHER_COMMANDS = {
    "MDAnalysis",
    "gemmi",
    "gsd",
    "h5py",
    "distributed",
    "huggingface_hub",
    "openmm",
    "scipy.ndimage",
}
"""Libraries that other formats and options need."""


def changes(statements: str) -> dict[str, object]:
    """What some statements change in ``torch.compiler`` and ``sys.modules`` of a new process.

    Left out are the modules that all extension modules of one version of Cython share.
    """
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS % statements], capture_output=True, text=True, check=True, timeout=240
    )
    return json.loads(done.stdout)


def modules_after(statements: str, more_statements: str = "") -> set[str]:
    """Modules that a new process has loaded after some statements; others are run after those."""
    script = f"import json, sys\n{statements}\nprint(json.dumps(list(sys.modules)))\n{more_statements}"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=240
    )
    return set(json.loads(done.stdout))


def test_importing_the_package_changes_nothing_of_other_libraries():
    """The libraries that it needs do without it what they do with it."""
    expected = changes("import e3nn.o3, e3nn.nn")
    imported = changes("import latcpb_cli.loaded_model")
    assert imported["changed"] == imported["replaced"] == []
    assert set(imported["bare"]) <= set(expected["bare"])
    assert imported["sympy"]


def test_the_quick_import_of_the_command_restores_what_it_replaces():
    loaded = modules_after(
        "from latcpb_cli.cli.startup import start_torch; start_torch()",
        "import sympy, torch._meta_registrations\n"
        "assert sympy.sqrt(4) == 2\n"
        "assert torch._meta_registrations.__file__\n"
        "assert torch.compiler.disable(abs)(-1) == 1",
    )
    assert "e3nn" in loaded
    assert not loaded & NEVER_USED
    quick = changes("from latcpb_cli.cli.startup import start_torch; start_torch()")
    assert quick["changed"] == quick["replaced"] == []


SETTINGS = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["passive", "5000"]),
        ({"OMP_WAIT_POLICY": "active"}, ["active", None]),
        ({"GOMP_SPINCOUNT": "7"}, ["passive", "7"]),
    ],
)
def test_threads_are_set_unless_the_user_says_otherwise(given, expected, monkeypatch):
    """OpenMP reads the variables when torch is loaded, so the command sets them before."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    script = (
        "import os, sys\n"
        f"settings = lambda: str([os.environ.get(name) for name in {SETTINGS}])\n"
        "class Torch:\n"
        "    def find_spec(self, name, *args):\n"
        "        if name == 'torch': sys.exit(settings())\n"
        "before = settings()\n"
        "import latcpb_cli.options\n"
        "assert settings() == before\n"
        "sys.meta_path.insert(0, Torch())\n"
        "from latcpb_cli.cli.startup import start_torch\n"
        "start_torch()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stderr.strip() == str(expected)


def test_a_pdb_file_is_built_without_the_libraries_of_other_formats(tmp_path):
    structure = tmp_path / "short.pdb"
    lines = (EXAMPLES / "tnc.pdb").read_text().splitlines(keepends=True)
    structure.write_text("".join([line for line in lines if line.startswith("ATOM")][:12]))
    arguments = ["backmap", str(structure), "-o", str(tmp_path / "all.pdb"), "--quiet"]
    loaded = modules_after(
        "from latcpb_cli.cli.app import main\n"
        f"try: main({arguments})\n"
        "except SystemExit as end: assert end.code == 0, end.code"
    )
    assert not loaded & {*NEVER_USED, *OF_OTHER_COMMANDS}


def test_help_is_printed_without_renderers_that_it_does_not_use():
    """And they are themselves again afterwards."""
    loaded = modules_after(
        "from latcpb_cli.cli.app import main\n"
        "import contextlib, io\n"
        "with contextlib.redirect_stdout(io.StringIO()) as printed:\n"
        "    try: main(['backmap', '--help'])\n"
        "    except SystemExit as end: assert end.code == 0, end.code\n"
        "assert '--coherence' in printed.getvalue()",
        "from rich.markdown import Markdown\n"
        "from rich.traceback import Traceback\n"
        "assert Markdown('*a*').markup == '*a*' and Traceback.from_exception",
    )
    assert "typer.rich_utils" in loaded
    assert not loaded & {"rich.markdown", "rich.traceback", "markdown_it", "torch", "numpy"}
