"""Draw a result of latcpb: Cα beads, the atoms built on them, and a detail over the atoms of the simulation.

    python docs/make_picture.py --out docs/images/tnc.png

Backmaps the first frame of examples/tnc_allatom.pdb, of which latcpb reads the Cα only. Needs the extra
`benchmarks` (pillow and a font come with matplotlib).
"""

from __future__ import annotations

import argparse
import colorsys
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter, minimum_filter

ROOT = Path(__file__).parents[1]
INPUT = ROOT / "examples" / "tnc_allatom.pdb"
PANEL, CAPTION = (560, 560), 44  # pixels
SMOOTH = 3  # pixels of the drawing per pixel of the picture, along each side
ELEMENTS = {"N": (0.19, 0.38, 0.88), "O": (0.86, 0.16, 0.14), "S": (0.93, 0.74, 0.15)}
GREY = (0.62, 0.62, 0.64)
BOND = 1.95  # Å: longer than any bond of heavy atoms, shorter than any distance across an angle
DETAIL, AROUND, ZOOM = 24, 4.6, 2.05  # a residue and those within so many Å of it, so many times larger


@dataclass
class Atoms:
    """Heavy atoms of one model of a PDB file, and the pairs that are bonded."""

    names: list[str]
    residues: np.ndarray
    positions: np.ndarray
    bonds: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        apart = np.linalg.norm(self.positions[:, None] - self.positions[None], axis=-1)
        self.bonds = np.argwhere(np.triu(apart < BOND, 1))

    def near(self, residue: int, distance: float) -> np.ndarray:
        """Numbers of the residues that have an atom near those of one residue."""
        apart = np.linalg.norm(self.positions[:, None] - self.positions[self.residues == residue], axis=-1)
        return np.unique(self.residues[apart.min(1) < distance])

    def select(self, residues: np.ndarray) -> Atoms:
        """Return the atoms of some residues."""
        kept = np.flatnonzero(np.isin(self.residues, residues))
        return Atoms([self.names[row] for row in kept], self.residues[kept], self.positions[kept])


def read_first_model(path: Path) -> Atoms:
    """Read the atoms before the first ENDMDL."""
    lines = path.read_text("utf-8").split("ENDMDL")[0].splitlines()
    rows = [line for line in lines if line.startswith("ATOM")]
    return Atoms(
        [row[12:16].strip() for row in rows],
        np.array([int(row[22:26]) for row in rows]),
        np.array([[float(row[start : start + 8]) for start in (30, 38, 46)] for row in rows]),
    )


@dataclass
class Canvas:
    """An orthographic view along z, as depth and colour of each pixel; lengths in Å."""

    centre: np.ndarray
    scale: float  # pixels per Å
    depth: np.ndarray = field(init=False)
    colour: np.ndarray = field(init=False)
    normal: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        width, height = (SMOOTH * side for side in PANEL)
        self.scale *= SMOOTH
        self.depth = np.full((height, width), -np.inf)
        self.colour = np.ones((height, width, 3))
        self.normal = np.zeros((height, width, 3))

    def capsule(self, start: np.ndarray, end: np.ndarray, radius: float, colour: tuple[float, ...]) -> None:
        """Draw a rod with round ends; a ball where both ends are the same."""
        height, width = self.depth.shape
        start, end = start - self.centre, end - self.centre
        low = np.minimum(start, end)[:2] - radius
        high = np.maximum(start, end)[:2] + radius
        x0, x1 = (int(np.clip(side * self.scale + width / 2, 0, width)) for side in (low[0], high[0] + 0.1))
        y0, y1 = (int(np.clip(height / 2 - side * self.scale, 0, height)) for side in (high[1] + 0.1, low[1]))
        if x0 >= x1 or y0 >= y1:
            return
        x = (np.arange(x0, x1) + 0.5 - width / 2) / self.scale
        y = (height / 2 - np.arange(y0, y1) - 0.5) / self.scale
        pixels = np.stack(np.broadcast_arrays(x[None], y[:, None]), axis=-1)
        depth, normal = _front_of_capsule(pixels, start, end, radius)
        part = np.s_[y0:y1, x0:x1]
        nearer = depth > self.depth[part]
        self.depth[part][nearer] = depth[nearer]
        self.normal[part][nearer] = normal[nearer]
        self.colour[part][nearer] = colour

    def shaded(self) -> Image.Image:
        """Light from above left, creases darker, edges outlined, distance paler."""
        solid = np.isfinite(self.depth)
        low, high = self.depth[solid].min(), self.depth[solid].max()
        depth = np.where(solid, self.depth, low)
        light = np.array([-0.35, 0.55, 0.76])
        diffuse = np.clip(self.normal @ light, 0.0, 1.0)
        shine = np.clip(self.normal @ np.array([-0.19, 0.29, 0.94]), 0.0, 1.0) ** 40
        crease = np.clip(gaussian_filter(depth, 4.0 * SMOOTH) - depth, 0.0, 4.0) / 4.0
        picture = self.colour * (0.52 + 0.52 * diffuse)[..., None] * (1.0 - 0.45 * crease)[..., None]
        picture = picture + 0.22 * shine[..., None]
        edge = np.where(solid, self.depth - minimum_filter(depth, 2 * SMOOTH - 1), 0.0)
        picture *= 1.0 - 0.55 * np.clip((edge - 1.0) / 2.0, 0.0, 1.0)[..., None]
        far = 0.6 * ((high - depth) / max(high - low, 1.0))[..., None] ** 1.2
        picture = np.where(solid[..., None], picture * (1 - far) + far, 1.0)
        image = Image.fromarray((255 * np.clip(picture, 0.0, 1.0)).astype(np.uint8))
        return image.resize(PANEL, Image.Resampling.LANCZOS)


def _front_of_capsule(
    pixels: np.ndarray, start: np.ndarray, end: np.ndarray, radius: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest z of a capsule at each pixel (H, W), and the normal there (H, W, 3)."""
    depth = np.full(pixels.shape[:2], -np.inf)
    normal = np.zeros((*pixels.shape[:2], 3))
    for centre in (start, end):
        across = pixels - centre[:2]
        rest = radius**2 - (across**2).sum(-1)
        z = centre[2] + np.sqrt(np.maximum(rest, 0.0))
        front = (rest > 0) & (z > depth)
        depth[front] = z[front]
        ball = np.concatenate([across, np.sqrt(np.maximum(rest, 0.0))[..., None]], axis=-1) / radius
        normal[front] = ball[front]
    axis = end - start
    length = np.linalg.norm(axis)
    if length < 1e-6:
        return depth, normal
    axis = axis / length
    # Points (pixel, z) whose distance from the axis is the radius: a quadratic equation for z.
    across = np.concatenate([pixels - start[:2], np.zeros((*pixels.shape[:2], 1))], axis=-1)
    along = across @ axis
    a = 1.0 - axis[2] ** 2
    b = -along * axis[2]
    c = (across**2).sum(-1) - along**2 - radius**2
    root = b**2 - a * c
    z = (-b + np.sqrt(np.maximum(root, 0.0))) / max(a, 1e-9)
    reach = along + z * axis[2]
    front = (root > 0) & (reach > 0) & (reach < length) & (z + start[2] > depth)
    depth[front] = z[front] + start[2]
    point = across.copy()
    point[..., 2] = z
    side = (point - reach[..., None] * axis) / radius
    normal[front] = side[front]
    return depth, normal


def chain_colours(count: int) -> list[tuple[float, float, float]]:
    """Colours from the first residue (blue) to the last (red)."""
    return [colorsys.hls_to_rgb(0.62 * (1 - k / (count - 1)), 0.55, 0.62) for k in range(count)]


def draw_beads(canvas: Canvas, atoms: Atoms, colours: list[tuple[float, float, float]]) -> None:
    """Draw one ball for each Cα, and a rod to the next."""
    beads = atoms.positions[[name == "CA" for name in atoms.names]]
    for number, bead in enumerate(beads):
        canvas.capsule(bead, bead, 1.15, colours[number])
        if number:
            canvas.capsule(beads[number - 1], bead, 0.35, (0.72, 0.72, 0.74))


def draw_sticks(
    canvas: Canvas, atoms: Atoms, colours: list[tuple[float, float, float]] | None, radius: float = 0.27
) -> None:
    """Draw bonds in the colours of their atoms; all grey without ``colours``."""
    for one, two in atoms.bonds:
        middle = atoms.positions[[one, two]].mean(0)
        thick = 1.35 if colours and {atoms.names[one], atoms.names[two]} <= {"N", "CA", "C"} else 1.0
        for atom in (one, two):
            own = colours[atoms.residues[atom] - 1] if colours else GREY
            colour = ELEMENTS.get(atoms.names[atom][0], own) if colours else GREY
            canvas.capsule(atoms.positions[atom], middle, radius * thick, colour)


def oriented(positions: np.ndarray) -> np.ndarray:
    """Rotation that puts the longest axis of a structure upright and the shortest along the view."""
    axes = np.linalg.svd(positions - positions.mean(0), full_matrices=False)[2]
    turn = np.stack([axes[1], axes[0], axes[2]])
    turn[2] *= np.sign(np.linalg.det(turn))
    tilt = np.radians(18.0)
    lean = np.array([[np.cos(tilt), 0, np.sin(tilt)], [0, 1, 0], [-np.sin(tilt), 0, np.cos(tilt)]])
    return lean @ turn


def compose(panels: list[tuple[Image.Image, str]]) -> Image.Image:
    """Put panels side by side, with a line of text under each."""
    width, height = PANEL
    picture = Image.new("RGB", (width * len(panels), height + CAPTION), "white")
    font = ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", 21)
    pen = ImageDraw.Draw(picture)
    for number, (panel, caption) in enumerate(panels):
        picture.paste(panel, (number * width, 0))
        pen.text(((number + 0.5) * width, height + 8), caption, fill=(60, 60, 64), font=font, anchor="ma")
    return picture


def rebuild(folder: Path) -> Atoms:
    """Backmap the first frame of the input."""
    output = folder / "rebuilt.pdb"
    command = [sys.executable, "-m", "latcpb_cli", "backmap", str(INPUT), "-o", str(output), "--frames", "0"]
    subprocess.run([*command, "--no-report", "--quiet"], check=True)
    return read_first_model(output)


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "tnc.png")
    parser.add_argument("--rebuilt", type=Path, help="a result of latcpb to draw, instead of a new one")
    arguments = parser.parse_args()
    reference = read_first_model(INPUT)
    with tempfile.TemporaryDirectory() as folder:
        rebuilt = read_first_model(arguments.rebuilt) if arguments.rebuilt else rebuild(Path(folder))
    turn = oriented(reference.positions)
    for atoms in (reference, rebuilt):
        atoms.positions = atoms.positions @ turn.T
    low, high = rebuilt.positions.min(0), rebuilt.positions.max(0)
    scale = min(side / length for side, length in zip(PANEL, (high - low)[:2] + 3.0, strict=True))
    colours = chain_colours(int(np.ptp(rebuilt.residues)) + 1)
    beads, atoms = (Canvas((low + high) / 2, scale) for _ in range(2))
    draw_beads(beads, rebuilt, colours)
    draw_sticks(atoms, rebuilt, colours)
    shown = rebuilt.near(DETAIL, AROUND)
    part = rebuilt.select(shown)
    detail = Canvas((part.positions.min(0) + part.positions.max(0)) / 2, ZOOM * scale)
    draw_sticks(detail, part, colours, 0.2)
    draw_sticks(detail, reference.select(shown), None, 0.13)
    panels = [
        (beads, "input: Cα beads"),
        (atoms, "output: all heavy atoms"),
        (detail, "detail, over the reference (grey)"),
    ]
    picture = compose([(canvas.shaded(), caption) for canvas, caption in panels])
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    picture.quantize(255, dither=Image.Dither.NONE).save(arguments.out, optimize=True)


if __name__ == "__main__":
    main()
