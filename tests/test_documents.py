"""What the documents show is true: commands and Python run as printed, names and links exist."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from MDAnalysis import Universe
from typer.main import get_command

from latcpb_cli.cli.app import app, main

ROOT = Path(__file__).parents[1]
EXAMPLES, PACKAGE = ROOT / "examples", ROOT / "latcpb_cli"
LAYERS = runpy.run_path(str(ROOT / "tests" / "test_layers.py"))["LAYERS"]
USER_DOCUMENTS = [ROOT / "README.md", EXAMPLES / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
"""Their commands and their Python are run."""
DOCUMENTS = sorted(
    path
    for folder in (".", "docs", "examples", "benchmarks", "weights", "latcpb_cli")
    for path in (ROOT / folder).glob("*.md" if folder == "." else "**/*.md")
)

# Each subcommand that a document shows is in one of these two tables.
RUN_HERE = {"backmap", "evaluate", "examples", "inspect", "--help", "--version"}
TESTED_ELSEWHERE = {"download-weights": "tests/cli/test_weights.py", "train": "tests/train"}
"""Subcommands that need a Hub or training data."""
OPTIONS_ELSEWHERE = {"--scheduler": "tests/run/test_workers.py"}
"""Options of `backmap` that no document uses in a command; this one needs a cluster."""
NEXT_COMMAND = r""" && (?=(?:[^'"]|'[^']*'|"[^"]*")*$)"""  # outside quotes
SLOW_OPTIONS = {"--hydrogens", "--minimize", "--workers 2"}
SLOW_PAGES = {"docs/guide/models.md"}
"""Its commands have the options of other pages, on inputs of other kinds."""

USER_FILES = {"traj.xtc": "4ebp2.xtc", "cg.pdb": "4ebp2.pdb"}
"""The user's own files in the documents, and the examples that stand for them."""

SHELL_SYNTAX = set("*?$|;&<>`~")

FENCE = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CALL = re.compile(r"(?:^|[;&|(]\s*|\b[A-Z_]+=\S+\s+)latcpb\s+(\S+)")
INCLUDE = re.compile(r'--8<-- "(.*)"\n')
"""A page that is another file, such as a model card."""
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")


class Block(NamedTuple):
    """A fenced block that calls latcpb: its commands, and the subcommands in each."""

    name: str
    commands: list[tuple[str, list[str]]]


def command_blocks(path: Path) -> list[Block]:
    """Return the fenced blocks of a document that call latcpb."""
    text = path.read_text("utf-8")
    blocks = []
    for fence in FENCE.finditer(text):
        lines = [line.strip() for line in fence[1].replace("\\\n", " ").splitlines()]
        commands = [(line, CALL.findall(line)) for line in lines if line and not line.startswith("#")]
        name = f"{path.relative_to(ROOT)}:{text[: fence.start()].count(chr(10)) + 1}"
        blocks.append(Block(name, [(line, calls) for line, calls in commands if calls]))
    return [block for block in blocks if block.commands]


BLOCKS = [block for path in USER_DOCUMENTS for block in command_blocks(path)]
COMMANDS = [(line, calls) for block in BLOCKS for line, calls in block.commands]


def anchors(path: Path) -> set[str]:
    """Return the anchors of the headings of a document."""
    headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def architecture_rows(title: str) -> list[list[list[str]]]:
    """Return the code spans in each cell of the table under a heading of docs/architecture.md."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    section = text[text.index(f"## {title}") :].split("\n## ", 2)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[re.findall(r"`([^`]+)`", cell) for cell in line.strip("|").split("|")] for line in lines]


@pytest.fixture
def folder(tmp_path):
    """A folder with examples/ and with files of the user's own."""
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for own, example in USER_FILES.items():
        shutil.copy(EXAMPLES / example, tmp_path / own)
    universe = Universe(tmp_path / "cg.pdb", tmp_path / "examples" / USER_FILES["traj.xtc"], to_guess=())
    universe.atoms.write(tmp_path / "traj.xtc", frames=universe.trajectory[:3])
    return tmp_path


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the commands of a line one after the other until one fails."""
    for command in re.split(NEXT_COMMAND, line):
        done = run_command(command, folder)
        if done.returncode:
            break
    return done


def run_command(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a shell; a plain call of latcpb in this process, which has the libraries already."""
    words = line.split()
    if words[0] == "latcpb" and not set(line) & SHELL_SYNTAX:
        return run_here(shlex.split(line)[1:], folder)
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    return subprocess.run(
        ["sh", "-c", line], cwd=folder, env=os.environ | {"PATH": path}, text=True, capture_output=True
    )


def run_here(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    output, errors = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
        pytest.raises(SystemExit) as caught,
    ):
        main(arguments)
    code = int(caught.value.code or 0)
    return subprocess.CompletedProcess(arguments, code, output.getvalue(), errors.getvalue())


def test_every_option_of_backmap_has_an_example():
    words = {word for line, _ in COMMANDS for word in line.split()}
    options = [parameter.opts for parameter in get_command(app).commands["backmap"].params]
    unused = [names[0] for names in options if names[0].startswith("-") and not words.intersection(names)]
    assert unused == list(OPTIONS_ELSEWHERE)
    assert all((ROOT / test).exists() for test in OPTIONS_ELSEWHERE.values())


def test_parser_finds_every_call(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    document = tmp_path / "README.md"
    document.write_text(
        "latcpb backmap prose\n\n```sh\n# latcpb comment\npip install latcpb\nlatcpb backmap a.xtc \\\n"
        "    --top b.pdb\nX=1 latcpb evaluate a b && latcpb --help\n```\n\n```python\nlatcpb train\n```\n"
    )
    (block,) = command_blocks(document)
    assert block.name == "README.md:3"
    assert [calls for _, calls in block.commands] == [["backmap"], ["evaluate", "--help"]]
    assert "--top b.pdb" in block.commands[0][0]


def test_every_command_is_exercised_somewhere():
    assert len(BLOCKS) >= 20
    for name in {name for _, calls in COMMANDS for name in calls}:
        assert name in RUN_HERE or (ROOT / TESTED_ELSEWHERE[name]).exists(), f"who tests latcpb {name}?"


def test_no_command_is_shown_twice():
    assert [line for line, count in Counter(line for line, _ in COMMANDS).items() if count > 1] == []


def marked(block: Block) -> object:
    """Return the block as a test parameter, marked slow where its page or one of its options is."""
    text = " ".join(line for line, _ in block.commands)
    page = block.name.split(":")[0]
    slow = page in SLOW_PAGES or any(option in text for option in SLOW_OPTIONS)
    return pytest.param(block, id=block.name, marks=[pytest.mark.slow] if slow else [])


@pytest.mark.parametrize("block", [marked(block) for block in BLOCKS])
def test_commands_run_as_printed(block, folder):
    for line, calls in block.commands:
        if not RUN_HERE & set(calls):
            continue
        assert set(calls) <= RUN_HERE, f"a line of its own for each command: {line}"
        if "--hydrogens" in line:
            pytest.importorskip("openmm")
        done = run(line, folder)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        for output in re.findall(r"(?:-o|--output|--json)\s+(\S+)", line):
            assert (folder / output).stat().st_size > 0, line


PYTHON_BLOCKS = [
    pytest.param(text, id=f"{path.relative_to(ROOT)}:{number}")
    for path in USER_DOCUMENTS
    for number, text in enumerate(PYTHON.findall(path.read_text("utf-8")))
]


@pytest.mark.slow
@pytest.mark.parametrize("text", PYTHON_BLOCKS)
def test_python_runs_as_printed(text, folder):
    """Every Python block, with fewer steps of dynamics, where the packages that it imports are installed."""
    for package in re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"needs {package}")
    if "start.pdb" in text:
        command = next(line for line, _ in COMMANDS if "-o start.pdb" in line)
        assert run(command, folder).returncode == 0
        text = text.replace("maxIterations=1000", "maxIterations=5").replace("step(5000)", "step(5)")
    done = subprocess.run([sys.executable, "-c", text], cwd=folder, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_architecture_names_every_room():
    listed = {name for row in architecture_rows("Rooms") for name in row[0]}
    assert listed == {room for layer in LAYERS for room in layer}


@pytest.mark.parametrize("row", architecture_rows("Where do I change"), ids=lambda row: ",".join(row[2]))
def test_architecture_table_names_what_exists(row):
    _, files, names = row
    sources = [(PACKAGE / file).read_text("utf-8") for file in files]
    for name in names:
        defined = re.compile(rf"^\s*(?:def {name}\b|class {name}\b|{name}\b\s*(?::|=))", re.MULTILINE)
        assert any(defined.search(source) for source in sources), f"{name} is not defined in {files}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    for target, anchor in LINK.findall(path.read_text("utf-8")):
        linked = (path.parent / target).resolve() if target else path
        assert linked.exists(), target
        if linked.suffix == ".md" and (included := INCLUDE.fullmatch(linked.read_text("utf-8"))):
            linked = ROOT / included[1]
        assert not anchor or anchor in anchors(linked), f"{target}#{anchor}"
