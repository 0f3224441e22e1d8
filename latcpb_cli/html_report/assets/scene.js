// The structures of the 3D view: packed arrays of the page become rods.

const TYPED_ARRAYS = { Int16Array, Uint8Array, Uint16Array, Uint32Array };

function unpack({ type, data }) {
  const text = atob(data);
  const bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
  return new TYPED_ARRAYS[type](bytes.buffer);
}

const ELEMENT_COLORS = { C: [150, 158, 168], N: [58, 110, 210], O: [214, 69, 65], S: [214, 170, 40] };
const BACKBONE_NAMES = new Set(["N", "C", "O", "OXT"]);

// Viridis (Matplotlib), at nine points: readable for colour-blind people and in grey.
const VIRIDIS = [[68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141],
  [39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37]];

function viridis(part) {
  const start = Number(getComputedStyle(document.documentElement).getPropertyValue("--scale-start"));
  const place = (start + (1 - start) * Math.min(Math.max(part, 0), 1)) * (VIRIDIS.length - 1);
  const low = Math.min(Math.floor(place), VIRIDIS.length - 2);
  return VIRIDIS[low].map((value, k) => Math.round(value + (place - low) * (VIRIDIS[low + 1][k] - value)));
}

// One column of a scene.
class Model {
  constructor(record, resolution, atomNames, start) {
    this.column = record.column;
    this.residue = unpack(record.residue);
    this.names = Array.from(unpack(record.name), (number) => atomNames[number]);
    this.bonds = unpack(record.bonds);
    this.steps = unpack(record.positions);
    this.frames = record.frames;
    this.overlaps = record.overlaps;
    this.resolution = resolution;
    this.start = start;
    this.deviations = record.deviations && unpack(record.deviations);
    this.nResidues = record.deviations ? record.deviations.shape[1] : 0;
    this.ca = [...this.names.keys()].filter((atom) => this.names[atom] === "CA");
  }

  position(frame, atom) {
    const at = 3 * (frame * this.names.length + atom);
    return [0, 1, 2].map((k) => this.steps[at + k] * this.resolution);
  }

  // Deviation (Å) of a residue in a frame, null where it was not compared.
  deviation(frame, residue) {
    if (!this.deviations) return null;
    const value = this.deviations[frame * this.nResidues + residue - this.start];
    return value === 65535 || value === undefined ? null : value / 100;
  }

  atomsOf(residue) {
    return [...this.residue.keys()].filter((atom) => this.residue[atom] === residue);
  }

  // Overlaps of the atoms of a residue in a frame.
  overlapsOf(frame, residue) {
    return this.overlaps[frame].filter((ends) => ends.slice(0, 2).some((atom) => this.residue[atom] === residue)).length;
  }

  // The frame, out of those of the page, in which a residue deviates most, or overlaps most without a reference.
  worstFrame(residue) {
    const badness = (frame) => this.deviation(frame, residue) ?? this.overlapsOf(frame, residue);
    return this.frames.reduce((worst, _, frame) => (badness(frame) > badness(worst) ? frame : worst), 0);
  }

  isBackboneBond(bond) {
    return [0, 1].some((k) => BACKBONE_NAMES.has(this.names[this.bonds[2 * bond + k]]));
  }

  // Stretches of CA atoms without a gap.
  *stretches(frame) {
    let stretch = [];
    for (const atom of this.ca) {
      const point = this.position(frame, atom), last = stretch.at(-1);
      if (last && Math.hypot(...point.map((x, k) => x - last.point[k])) > 5) {
        yield stretch;
        stretch = [];
      }
      stretch.push({ point, atom });
    }
    if (stretch.length) yield stretch;
  }
}

// Points of a Catmull-Rom spline between the second and the third of four points.
function spline([a, b, c, d], part) {
  const square = part * part, cube = square * part;
  return b.map((_, k) => 0.5 * (2 * b[k] + (c[k] - a[k]) * part
    + (2 * a[k] - 5 * b[k] + 4 * c[k] - d[k]) * square + (3 * b[k] - a[k] - 3 * c[k] + d[k]) * cube));
}

const TUBE_STEPS = 6;

function addTube(rods, model, frame, radius, color) {
  for (const stretch of model.stretches(frame)) {
    const points = stretch.map((knot) => knot.point);
    stretch.slice(1).forEach((knot, k) => {
      const ends = [points[Math.max(k - 1, 0)], points[k], points[k + 1], points[Math.min(k + 2, points.length - 1)]];
      let before = points[k];
      for (let step = 1; step <= TUBE_STEPS; step++) {
        const after = spline(ends, step / TUBE_STEPS);
        rods.add(before, after, radius, color(step <= TUBE_STEPS / 2 ? stretch[k].atom : knot.atom));
        before = after;
      }
    });
  }
}

function addSticks(rods, model, frame, radius, color, backbone) {
  for (let bond = 0; bond < model.bonds.length / 2; bond++) {
    if (!backbone && model.isBackboneBond(bond)) continue;
    const [a, b] = [model.bonds[2 * bond], model.bonds[2 * bond + 1]];
    rods.add(model.position(frame, a), model.position(frame, b), radius, color(a), color(b));
  }
}

// Balls and sticks of one residue.
function addResidue(rods, model, frame, residue, color) {
  for (const atom of model.atomsOf(residue)) {
    const point = model.position(frame, atom);
    rods.add(point, point, 0.38, color(atom));
  }
  for (let bond = 0; bond < model.bonds.length / 2; bond++) {
    const ends = [model.bonds[2 * bond], model.bonds[2 * bond + 1]];
    if (!ends.every((atom) => model.residue[atom] === residue)) continue;
    const [a, b] = ends.map((atom) => model.position(frame, atom));
    rods.add(a, b, 0.15, color(ends[0]), color(ends[1]));
  }
}

const DASH = 0.16;

// Overlapping pairs as dashed lines.
function addOverlaps(rods, model, frame, color) {
  for (const [first, second] of model.overlaps[frame]) {
    const a = model.position(frame, first), b = model.position(frame, second);
    const length = Math.hypot(...a.map((x, k) => b[k] - x));
    const dashes = Math.max(3, 2 * Math.round(length / DASH / 4) + 1);
    const at = (place) => a.map((x, k) => x + (place / dashes) * (b[k] - x));
    for (let dash = 0; dash < dashes; dash += 2) rods.add(at(dash), at(dash + 1), 0.075, color, color, true);
  }
}
