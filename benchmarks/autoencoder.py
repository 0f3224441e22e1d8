"""What the codec and the autoencoder lose, and whether the latent is used.

    python benchmarks/autoencoder.py DATA --weights DIR [--split valid]
    python benchmarks/autoencoder.py DATA --run runs/ae      (a run in training)

Three rows: internal coordinates alone; encode and decode; decode with the latent of another residue of
the same type. Then the perplexity of the codes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from arguments import measurement_parser
from chains import generated_structure, reference_chains
from tables import Row

from latcpb_cli.geometry.codec import decode
from latcpb_cli.hub import resolve_weights
from latcpb_cli.model.codes import draw_codes, perplexity
from latcpb_cli.model.latcpb import LatCPB
from latcpb_cli.train.batch import make_batch
from latcpb_cli.train.checkpoint import load_model, read_config


def load(options: argparse.Namespace) -> LatCPB:
    if options.run is not None:
        model = LatCPB(read_config(options.run).model)
        load_model(options.run, model)
        return model.eval()
    files = resolve_weights(options.weights)
    return LatCPB.load(files.config, files.model)


def another_of_its_type(types: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """For each residue the row of a random residue of the same type."""
    partner = torch.arange(len(types))
    for kind in types.unique():
        rows = torch.nonzero(types == kind)[:, 0]
        partner[rows] = rows[torch.randperm(len(rows), generator=generator)]
    return partner


@torch.inference_mode()
def main() -> None:
    parser = measurement_parser(__doc__)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--limit", type=int, default=10**6, help="chains to measure")
    options = parser.parse_args()
    model, generator = load(options), torch.Generator().manual_seed(0)
    rows = {name: Row() for name in ("codec", "autoencoder", "another's latent")}
    counts = torch.zeros(model.config.latent)
    for number, (structure, reference, _) in enumerate(reference_chains(options.data, options.split)):
        if number == options.limit:
            break
        batch = make_batch([structure])
        graph = model.graph(batch.ca, batch.types, batch.linked, batch.sizes)
        condition = model.cg_encoder(graph)
        latent = model.atom_encoder(batch.atoms, batch.present, graph)[0]
        counts += torch.bincount(draw_codes(latent, generator), minlength=len(counts))
        wrong = latent[another_of_its_type(batch.types, generator)]
        built = {
            "codec": decode(batch.internal, batch.ca, batch.types, batch.linked),
            "autoencoder": model.decoder(latent, condition, graph).atoms,
            "another's latent": model.decoder(wrong, condition, graph).atoms,
        }
        for name, atoms in built.items():
            rows[name].add(reference, generated_structure(reference, atoms[None].numpy()))
    print(f"{'':18s}{'all heavy':>10s}{'backbone':>10s}{'side ch.':>10s}{'chi1 %':>8s}{'C-N':>6s}{'D':>4s}")
    for name, row in rows.items():
        n = row.numbers()
        print(
            f"{name:18s}{n['all_heavy']:10.3f}{n['backbone']:10.3f}{n['side_chain']:10.3f}"
            f"{n['chi1']:8.1f}{n['peptide_bonds']:6.0f}{n['d_residues']:4.0f}"
        )
    print(f"codes {len(counts)}, perplexity {perplexity(counts):.1f}")


if __name__ == "__main__":
    main()
