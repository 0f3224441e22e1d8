"""Frozen configurations of the model and of its training.

The file saved beside the weights is the whole truth: `from_json` refuses keys
it does not know, so an old program never half-reads a new model.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, get_type_hints

from latcpb_cli.errors import WeightsError

__all__ = ["DiffusionConfig", "ModelConfig", "from_json", "to_json"]

T = TypeVar("T")


@dataclass(frozen=True)
class DiffusionConfig:
    """The noise schedule of equations 1-8.

    Attributes
    ----------
    steps : int
        T, the number of noise levels.
    schedule : {"cosine", "linear"}
        How the cumulative product of 1 - beta falls from one to zero.
    """

    steps: int = 1000
    schedule: Literal["cosine", "linear"] = "cosine"


@dataclass(frozen=True)
class ModelConfig:
    """Sizes and kinds of the parts of the model.

    Attributes
    ----------
    dim, heads, pair_dim, key_dim : int
        Width of residue features, attention heads, width of pair features and
        of what a residue shows its neighbours.
    cg_layers, denoiser_layers, atom_layers : int
        Transformer layers of the CG encoder, the denoiser and the all-atom encoder.
    equivariant_layers, channels : int
        e3nn layers of the CG encoder and channels per irrep.
    neighbors : int
        K, the nearest Cα that a residue attends to.
    cutoff, atom_cutoff : float
        Radius (Å) of Cα-Cα edges and of atom edges.
    latent : int
        D, the width of the latent, which is also the number of codes: the
        latent's sigmoids are the weights of the multinomial draw (eq. 9).
    contrast_temperature : float
        tau of eq. 14.
    discrete : bool
        Codes and mixture prior (True), or a plain conditional VAE (False).
    cartesian : bool
        Decode to positions in local frames (as CGVAE does) instead of internal coordinates.
    diffusion : bool
        Latents from the diffusion model (True) or drawn from the CG encoder's Gaussian.
    """

    dim: int = 192
    heads: int = 6
    pair_dim: int = 32
    key_dim: int = 48
    cg_layers: int = 6
    denoiser_layers: int = 3
    atom_layers: int = 1
    equivariant_layers: int = 2
    channels: int = 8
    neighbors: int = 24
    cutoff: float = 21.0
    atom_cutoff: float = 9.0
    latent: int = 32
    contrast_temperature: float = 0.1
    discrete: bool = True
    cartesian: bool = False
    diffusion: bool = True
    schedule: DiffusionConfig = field(default_factory=DiffusionConfig)


def to_json(config: Any) -> str:
    """Write a configuration as indented JSON."""
    return json.dumps(dataclasses.asdict(config), indent=2) + "\n"


def from_json(kind: type[T], source: Path | dict[str, Any]) -> T:
    """Read a configuration.

    Raises
    ------
    WeightsError
        The file is no JSON object, or has keys this version does not know.
    """
    where = str(source) if isinstance(source, Path) else kind.__name__
    values = source
    if isinstance(source, Path):
        try:
            values = json.loads(source.read_text())
        except (OSError, ValueError) as error:
            raise WeightsError(
                f"{where} is not a readable configuration ({error})", "fetch it again"
            ) from error
    if not isinstance(values, dict):
        raise WeightsError(f"{where} does not hold a JSON object", "fetch it again")
    hints = get_type_hints(kind)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise WeightsError(
            f"{where} has unknown settings: {', '.join(unknown)}",
            "update latcpb, or use weights of this version",
        )
    parsed = {
        key: from_json(hints[key], value) if dataclasses.is_dataclass(hints[key]) else value
        for key, value in values.items()
    }
    return kind(**parsed)
