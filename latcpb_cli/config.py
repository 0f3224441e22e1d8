"""Frozen configuration of the model, and JSON files of configurations.

The file beside the weights describes the model completely. `from_json` refuses unknown keys, so that a
program never loads a model of a later version with settings left out, and values of other types or out of
range, so that a damaged file costs no time and no memory.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_type_hints

from latcpb_cli.errors import WeightsError

__all__ = ["DiffusionConfig", "ModelConfig", "from_json", "to_json"]

Config = TypeVar("Config")

_MAX_FILE_BYTES = 1 << 16
_MAX_SHOWN = 80
"""Letters of a wrong value in a message."""
_MAX_EXACT = 1 << 53
"""Integers below it are floats, too."""
_RANGES = {
    "dim": (1, 2048),
    "heads": (1, 64),
    "pair_dim": (1, 512),
    "key_dim": (1, 512),
    "cg_layers": (1, 64),
    "denoiser_layers": (1, 64),
    "atom_layers": (1, 64),
    "peptide_layers": (1, 64),
    "equivariant_layers": (0, 8),
    "channels": (1, 64),
    "neighbors": (1, 512),
    "cutoff": (1.0, 100.0),
    "atom_cutoff": (1.0, 100.0),
    "latent": (1, 1024),
    "max_candidates": (1, 12),
    "relief_steps": (1, 1000),
    "contrast_temperature": (1e-3, 100.0),
    "steps": (1, 100_000),
}
"""Smallest and largest values: those of any useful model, with room to spare."""


@dataclass(frozen=True)
class DiffusionConfig:
    """The noise schedule of equations 1-8.

    Attributes
    ----------
    steps : int
        T, the number of noise levels.
    schedule : {"cosine", "linear"}
        Shape of the cumulative product of 1 - beta, which falls from one to zero.
    """

    steps: int = 1000
    schedule: Literal["cosine", "linear"] = "cosine"

    def __post_init__(self) -> None:
        _check_ranges(self)


@dataclass(frozen=True)
class ModelConfig:
    """Sizes and variants of the parts of the model.

    Attributes
    ----------
    dim : int
        C, the width of residue features.
    heads : int
        Attention heads.
    pair_dim : int
        E, the width of pair features.
    key_dim : int
        Width of the keys, which are the values as well.
    cg_layers, denoiser_layers, atom_layers : int
        Transformer layers of the CG encoder, the denoiser and the all-atom encoder.
    peptide_layers : int
        Transformer layers of the encoder of peptide rotations.
    shared_encoder : bool
        Whether the encoder of peptide rotations starts from the features of the CG encoder (True), or from
        the trace (False).
    equivariant_layers, channels : int
        e3nn layers of the CG encoder, and channels per irrep.
    neighbors : int
        K, the number of nearest Cα to which a residue attends.
    cutoff, atom_cutoff : float
        Radius (Å) of Cα-Cα edges and of atom edges.
    latent : int
        D, the width of the latent and the number of codes: the components of the
        latent are the weights of the multinomial distribution of codes (eq. 9).
    contrast_temperature : float
        tau of eq. 14.
    discrete : bool
        Codes and mixture prior (True), or a plain conditional VAE (False).
    cartesian : bool
        Decode to positions in local frames (as CGVAE does) instead of internal coordinates.
    rescoring : bool
        Whether there is a network that corrects the probabilities of packed side chains.
    max_candidates : int
        Largest number of rotamers of a residue among which packing and rescoring choose.
    relief_steps : int
        Steps of the first descent of relief. With 16 instead of 24, traces of coarse-grained simulations keep
        3 more overlaps per 1,000 atoms, and fewer residues are in favoured regions.
    com_beads : bool
        Whether there is an encoder of beads at centres of mass.
    diffusion : bool
        Sample latents from the diffusion model (True) or from the CG encoder's Gaussian (False).
    schedule : DiffusionConfig
        Noise levels of the diffusion model.

    Raises
    ------
    ValueError
        A number is out of range.
    """

    dim: int = 192
    heads: int = 6
    pair_dim: int = 32
    key_dim: int = 48
    cg_layers: int = 6
    denoiser_layers: int = 3
    atom_layers: int = 1
    peptide_layers: int = 8
    shared_encoder: bool = False
    equivariant_layers: int = 2
    channels: int = 8
    neighbors: int = 24
    cutoff: float = 21.0
    atom_cutoff: float = 9.0
    latent: int = 32
    contrast_temperature: float = 0.1
    discrete: bool = True
    cartesian: bool = False
    rescoring: bool = True
    max_candidates: int = 12
    relief_steps: int = 24
    com_beads: bool = False
    diffusion: bool = True
    schedule: DiffusionConfig = field(default_factory=DiffusionConfig)

    def __post_init__(self) -> None:
        _check_ranges(self)


def to_json(config: Any) -> str:
    """Convert a configuration (a dataclass) to indented JSON."""
    return json.dumps(dataclasses.asdict(config), indent=2) + "\n"


def from_json(config_type: type[Config], source: Path | dict[str, Any]) -> Config:
    """Read a configuration.

    Parameters
    ----------
    config_type : type
        The dataclass to make; its fields may be dataclasses themselves.
    source : Path or dict
        A JSON file, or its content.

    Raises
    ------
    WeightsError
        The file is no JSON object, or has keys that the dataclass does not have, or values of another type or
        out of range.
    """
    where = str(source) if isinstance(source, Path) else config_type.__name__
    values = _read_json(source) if isinstance(source, Path) else source
    if not isinstance(values, dict):
        raise WeightsError(f"{where} does not hold a JSON object", "fetch it again")
    hints = get_type_hints(config_type)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise WeightsError(
            f"{where} has unknown settings: {', '.join(unknown)[:_MAX_SHOWN]}",
            "update latcpb, or use weights of this version",
        )
    try:
        return config_type(**{key: _parse(key, value, hints[key]) for key, value in values.items()})
    except ValueError as error:
        raise WeightsError(f"{where}: {error}", "fetch it again") from error


def _read_json(path: Path) -> Any:
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise ValueError(f"it has more than {_MAX_FILE_BYTES:,} bytes")
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path} is not a readable configuration ({error})", "fetch it again") from error


def _parse(key: str, value: Any, hint: Any) -> Any:
    """Convert a value of JSON to the type of a field; raise ValueError where it is of another."""
    if dataclasses.is_dataclass(hint):
        return from_json(hint, value)  # type: ignore[arg-type]
    if hint is float and type(value) is int and abs(value) < _MAX_EXACT:
        value = float(value)
    choices = get_args(hint)
    if value not in choices if choices else type(value) is not hint:
        needed = " or ".join(map(repr, choices)) if choices else hint.__name__
        raise ValueError(f"{key} is {json.dumps(value)[:_MAX_SHOWN]}, not {needed}")
    return value


def _check_ranges(config: DiffusionConfig | ModelConfig) -> None:
    for setting in dataclasses.fields(config):
        if setting.name in _RANGES:
            value, (low, high) = getattr(config, setting.name), _RANGES[setting.name]
            if not (math.isfinite(value) and low <= value <= high):
                raise ValueError(f"{setting.name} is {str(value)[:_MAX_SHOWN]}, not from {low} to {high}")
