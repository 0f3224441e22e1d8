"""Scale the packing's two energies on chains held out of training, on whose kind the decoder is less sure.

    python benchmarks/calibrate_packing.py DATA --weights DIR [--chains 40]
    python benchmarks/calibrate_packing.py DATA --weights DIR --out DIR --trust 0.87 --energy 1.15

The first prints one row per pair of factors, without relief; the second copies the weights, scaled by the
factors given (`weights/update_manifest.py` then signs them).
"""

from __future__ import annotations

import shutil
from itertools import islice, product
from pathlib import Path

import torch
from arguments import measurement_parser
from chains import generated_structure, reference_chains
from safetensors.torch import load_file, save_file
from tables import Row

from latcpb_cli.backmapper import Backmapper
from latcpb_cli.sidechains.selection import choose_side_chains

FACTORS = (0.75, 0.87, 1.0), (1.0, 1.15, 1.3)
PARTS = "packing.trust", "packing.energy"


@torch.no_grad()
def main() -> None:
    parser = measurement_parser(__doc__, split="heldout")
    parser.add_argument("--chains", type=int, default=40)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--trust", type=float, default=1.0)
    parser.add_argument("--energy", type=float, default=1.0)
    options = parser.parse_args()
    if options.out is not None:
        write(Path(options.weights), options.out, (options.trust, options.energy))
        return
    model = Backmapper.from_pretrained(options.weights, device="cpu")
    peptides, packing, rescoring = model.model.peptides, model.model.packing, model.model.rescoring
    assert peptides is not None
    assert packing is not None  # or there is nothing to scale
    assert rescoring is not None
    chains = []
    for _, reference, chunk in islice(reference_chains(options.data, options.split), options.chains):
        trace, linked = reference.trace, reference.trace.linked(chunk.positions)[0]
        inputs = (torch.from_numpy(part) for part in (chunk.positions[0], trace.residue_types, linked))
        graph = model.model.graph(*inputs, [len(trace)])
        condition = model.model.cg_encoder(graph)
        latent = model.model.expected(condition, graph, model.schedule)
        decoded = model.model.decoder(latent, condition, graph)
        decoded = peptides.turned(decoded, graph, side_chains=True)
        chains.append((reference, graph, condition, decoded))
    start = packing.trust.clone(), packing.energy.clone()
    print(f"{'trust':>6s}{'energy':>8s}{'all':>8s}{'side':>8s}{'chi1':>7s}{'chi12':>7s}")
    for factors in product(*FACTORS):
        for part, value, factor in zip((packing.trust, packing.energy), start, factors, strict=True):
            part.copy_(value * factor)
        row = Row()
        for reference, graph, condition, decoded in chains:
            atoms = choose_side_chains(decoded, condition, graph, packing, rescoring).atoms.numpy()[None]
            row.add(reference, generated_structure(reference, atoms))
        n = row.numbers()
        print(f"{factors[0]:6.2f}{factors[1]:8.2f}{n['all_heavy']:8.4f}{n['side_chain']:8.4f}", end="")
        print(f"{n['chi1']:7.1f}{n['chi1_chi2']:7.1f}", flush=True)


def write(weights: Path, out: Path, factors: tuple[float, float]) -> None:
    """Copy weights, scaled."""
    shutil.copytree(weights, out, dirs_exist_ok=True)
    tensors = load_file(out / "model.safetensors")
    for name, factor in zip(PARTS, factors, strict=True):
        tensors[name] = (tensors[name].float() * factor).to(tensors[name].dtype)
    save_file(tensors, out / "model.safetensors")


if __name__ == "__main__":
    main()
