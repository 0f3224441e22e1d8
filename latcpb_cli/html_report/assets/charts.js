// The plots of the page. Each function draws one plot into its host; `page` holds data and state.

function columnName(page, number) {
  return page.data.columns[number].name;
}

// Numbers of the columns that have a value to draw, the chosen one last, on top of the others.
function columnsWith(page, has) {
  const numbers = page.data.columns.map((_, number) => number).filter(has);
  return numbers.sort((a, b) => (a === page.state.column) - (b === page.state.column) || a - b);
}

// The class of what belongs to a column; the chosen method stands out.
function columnClass(page, number) {
  return `column-${page.hue(number)}${number === page.state.column ? " chosen" : ""}`;
}

// The number in a label such as A:TYR27.
function residueNumber(label) {
  return Number(/(-?\d+)[A-Za-z]?$/.exec(label)?.[1]);
}

function residueAxis(page, { start, stop }) {
  const numbers = page.data.residues.labels.slice(start, stop).map(residueNumber);
  const step = Math.max(1, niceTicks(0, stop - start, 8)[1] ?? 1);
  const ticks = [...numbers.keys()].filter((place) => numbers[place] % step === 0);
  return { low: -0.5, high: stop - start - 0.5, label: "residue number", ticks, format: (place) => String(numbers[place]) };
}

// Values of all columns along the residues of the current structure.
function drawAlong(page, host, { quantity, label, unit, floor = 0, percent = false }) {
  const structure = page.structure(), { start, stop } = structure;
  const places = Array.from({ length: stop - start }, (_, k) => k);
  const columns = columnsWith(page, (c) => page.data.perResidue[c][quantity]);
  const rows = columns.map((c) => page.data.perResidue[c][quantity].slice(start, stop).map((v) => (percent && v !== null ? 100 * v : v)));
  const high = Math.max(floor, ...rows.flat().filter((v) => v !== null)) * 1.08 || 1;
  const axes = new Axes(host, {
    height: 190, x: residueAxis(page, structure), y: { low: 0, high, label: unit ? `${label}, ${unit}` : label },
    label: `${label} of each residue of ${structure.name}`,
  });
  for (const first of page.data.residues.chainStarts) {
    if (first > start && first < stop) axes.vertical(first - start - 0.5, { class: "chain" }, axes.back);
  }
  columns.forEach((c, k) => axes.line(places, rows[k], { class: `curve ${columnClass(page, c)}` }));
  const { residue } = page.state;
  if (residue !== null && residue >= start && residue < stop) axes.vertical(residue - start, { class: "marker" });
  followPointer(page, axes, (value) => {
    const place = Math.min(Math.max(Math.round(value), 0), stop - start - 1), index = start + place;
    const lines = columns.map((c, k) => `${columnName(page, c)} ${formatNumber(rows[k][place])}${unit ? ` ${unit}` : ""}`);
    return { at: place, text: [page.data.residues.labels[index], ...lines], pick: () => page.focusResidue(index) };
  });
}

// Numbers of frames in their order, and the values of all their samples.
function samplesByFrame(frames, values) {
  const samples = new Map();
  frames.forEach((frame, k) => {
    if (values[k] !== null) samples.set(frame, [...(samples.get(frame) ?? []), values[k]]);
  });
  return samples;
}

const MAX_DOTS = 400;

// Values of all columns over the frames of the current structure: a dot for each sample, a line through the means.
function drawFrames(page, host, { quantity, label, unit, relative = false }) {
  const title = unit ? `${label}, ${unit}` : label;
  const series = columnsWith(page, (c) => page.data.perFrame[c].values[quantity]).map((c) => {
    const { structure, frame, values } = page.data.perFrame[c];
    const rows = [...structure.keys()].filter((row) => structure[row] === page.state.structure);
    const samples = samplesByFrame(rows.map((row) => frame[row]), rows.map((row) => values[quantity][row]));
    const means = [...samples.values()].map((list) => list.reduce((sum, y) => sum + y, 0) / list.length);
    return { c, samples, frames: [...samples.keys()], means };
  });
  const all = series.flatMap(({ frames }) => frames);
  const values = series.flatMap(({ samples }) => [...samples.values()].flat());
  const top = values.reduce((a, b) => Math.max(a, b), 0), least = values.reduce((a, b) => Math.min(a, b), top);
  // A relative plot does not begin at 0.
  const y = relative
    ? { low: least - 0.1 * (top - least || 1), high: top + 0.1 * (top - least || 1), label: title }
    : { low: 0, high: top * 1.08 || 1, label: title };
  const low = all.reduce((a, b) => Math.min(a, b), Infinity), last = all.reduce((a, b) => Math.max(a, b), -Infinity);
  const axes = new Axes(host, {
    height: 190, x: { low: low - 0.5, high: last + 0.5, label: "frame", ticks: niceTicks(low, last, 6).filter(Number.isInteger) },
    y, label: `${label} over frames`,
  });
  for (const { c, frames, means, samples } of series) {
    axes.line(frames, means, { class: `curve ${columnClass(page, c)}` });
    const dots = [...samples].flatMap(([frame, list]) => list.map((y) => [frame, y]));
    if (dots.length <= MAX_DOTS) axes.cloud(dots, { class: `cloud column-${page.hue(c)}`, "stroke-width": 5 });
  }
  const shown = page.shownFrame();
  if (shown !== null) axes.vertical(shown, { class: "marker" });
  followPointer(page, axes, (value) => {
    const nearest = all.reduce((best, x) => (Math.abs(x - value) < Math.abs(best - value) ? x : best), all[0]);
    const lines = series.map(({ c, frames, means }) => {
      return `${columnName(page, c)} ${formatNumber(means[frames.indexOf(nearest)])}${unit ? ` ${unit}` : ""}`;
    });
    return { at: nearest, text: [`frame ${nearest}`, ...lines], pick: () => page.showFrame(nearest) };
  });
}

// A line and a note at the pointer; a click does what `describe` says.
function followPointer(page, axes, describe) {
  const marker = axes.front.appendChild(svg("line", { class: "pointer", y1: axes.inner.top, y2: axes.inner.bottom, visibility: "hidden" }));
  axes.root.classList.add("clickable");
  axes.root.addEventListener("pointermove", (event) => {
    const value = axes.valueAt(event);
    if (value === null) return;
    const { at, text } = describe(value);
    for (const end of ["x1", "x2"]) marker.setAttribute(end, axes.px(at));
    marker.setAttribute("visibility", "visible");
    page.note(text, event);
  });
  axes.root.addEventListener("pointerleave", () => {
    marker.setAttribute("visibility", "hidden");
    page.note(null);
  });
  axes.root.addEventListener("click", (event) => {
    const value = axes.valueAt(event);
    if (value !== null) describe(value).pick();
  });
}

// Density of one torsion: the reference as a grey area, each method as a line.
function drawDensity(page, host, panel) {
  const xs = [-180, ...Array.from({ length: 72 }, (_, k) => -177.5 + 5 * k), 180];
  const wrapped = panel.columns.map((density) => {
    const edge = density && (density[0] + density.at(-1)) / 2;
    return density && [edge, ...density, edge];
  });
  const high = Math.max(...wrapped.flatMap((density) => density ?? [])) * 1.08;
  const axes = new Axes(host, {
    height: 170, x: { low: -180, high: 180, ticks: [-180, -90, 0, 90, 180], format: (x) => `${formatNumber(x)}°` },
    y: { low: 0, high, format: formatNumber }, margin: { left: 38, top: 26 },
    label: `Density of ${panel.symbol}`,
  });
  axes.root.append(svg("text", { x: axes.inner.left, y: 16, class: "panel-title" }, panel.symbol));
  const divergence = panel.js[page.state.column];
  if (divergence !== null) {
    axes.root.append(svg("text", { x: axes.inner.right, y: 16, "text-anchor": "end" },
      `${columnName(page, page.state.column)}: JS ${divergence.toFixed(3)}`));
  }
  for (const c of columnsWith(page, (c) => wrapped[c])) {
    const density = wrapped[c];
    if (page.data.columns[c].reference) axes.area(xs, density, { class: "reference-area" });
    axes.line(xs, density, { class: `curve ${columnClass(page, c)}` });
  }
}

const CLASS_TITLES = { general: "General", glycine: "Glycine", proline: "Proline", "pre-proline": "Before proline" };

// φ and ψ of one class of residues, over the favoured and allowed regions.
function drawRamachandran(page, host, number) {
  const { classes, counts, points } = page.data.ramachandran, levels = page.ramachandranLevels(number);
  const { column } = page.state, name = classes[number];
  const angle = { low: -180, high: 180, ticks: [-180, -90, 0, 90, 180] };
  const axes = new Axes(host, {
    height: "square", x: { ...angle, label: "φ, °" }, y: { ...angle, label: "ψ, °" }, margin: { top: 42, left: 58 },
    label: `Ramachandran map, ${name}`,
  });
  axes.fill(levels, 90, (level) => level > 0, { class: "allowed" });
  axes.fill(levels, 90, (level) => level > 1, { class: "favoured" });
  axes.outline(levels, 90, (level) => level > 0, { class: "allowed-edge" });
  const drawn = page.referenceColumn() === column ? [column] : [page.referenceColumn(), column];
  for (const c of drawn.filter((c) => c !== null)) {
    const bin = (x) => Math.min(89, Math.max(0, Math.floor((x + 180) / 4)));
    const isOutlier = ([phi, psi]) => levels[bin(phi) * 90 + bin(psi)] === 0;
    const inside = points[c][number].filter((point) => !isOutlier(point));
    axes.cloud(inside, { class: `cloud column-${page.hue(c)}`, "stroke-width": inside.length > 400 ? 2.4 : 4 });
    for (const [phi, psi] of points[c][number].filter(isOutlier)) {
      axes.dot(phi, psi, 3, { class: `point column-${page.hue(c)} outlier` });
    }
  }
  const { favoured, allowed, outlier } = counts[column][number], total = favoured + allowed + outlier;
  const share = (count) => `${formatNumber((100 * count) / total, 1)} %`;
  const text = total ? `${share(favoured)} favoured, ${share(outlier)} outliers` : "no such residue";
  axes.root.append(svg("text", { x: axes.inner.left, y: 16, class: "panel-title" }, CLASS_TITLES[name]),
    svg("text", { x: axes.inner.left, y: 33 }, text));
}

// χ1 and χ2 of one residue type: the reference filled, the method as lines, both at 50 and 90 % of the residues.
function drawChi(page, host, panel) {
  const angle = { low: 0, high: 360, ticks: [60, 180, 300] };
  const axes = new Axes(host, {
    height: "square", x: angle, y: angle, margin: { top: 24, left: 38, right: 8 }, label: `χ1 and χ2 of ${panel.name}`,
  });
  const { column } = page.state, reference = page.referenceColumn();
  axes.root.append(svg("text", { x: axes.inner.left, y: 15, class: "panel-title" }, panel.name));
  const under = reference !== null && panel.columns[reference], over = column !== reference && panel.columns[column];
  if (under) {
    const map = refined(unpack(under.map), 36, 4);
    [...under.limits.entries()].reverse().forEach(([k, limit]) => {
      axes.fill(map, 144, (level) => level >= Math.max(limit, 1), { class: k ? "outer-area" : "inner-area" });
    });
  }
  if (over) {
    const map = refined(unpack(over.map), 36, 2);
    over.limits.forEach((limit, k) => {
      axes.contour(map, 72, Math.max(limit, 1), { class: `contour column-${page.hue(column)}${k ? " outer" : ""}` });
    });
  }
}

// Which residues overlap: the method above the diagonal, the reference below.
function drawOverlapMap(page, host) {
  const structure = page.structure(), { start, stop } = structure, { column } = page.state;
  const axis = { ...residueAxis(page, structure), label: "residue number" };
  const axes = new Axes(host, { height: "square", x: axis, y: axis, label: "Pairs of residues that overlap" });
  axes.front.append(svg("line", { x1: axes.px(axis.low), y1: axes.py(axis.low), x2: axes.px(axis.high), y2: axes.py(axis.high), class: "chain" }));
  for (const first of page.data.residues.chainStarts) {
    if (first <= start || first >= stop) continue;
    const at = axes.py(first - start - 0.5);
    axes.vertical(first - start - 0.5, { class: "chain" }, axes.back);
    axes.back.append(svg("line", { x1: axes.inner.left, x2: axes.inner.right, y1: at, y2: at, class: "chain" }));
  }
  const labels = page.data.residues.labels, reference = page.referenceColumn();
  const sides = column === reference || reference === null ? [[column, true]] : [[reference, false], [column, true]];
  let count = 0;
  for (const [c, above] of sides) {
    for (const [i, j, perFrame, worst] of page.data.overlaps[c]) {
      if (i < start || i >= stop) continue;
      const [low, high] = [Math.min(i, j) - start, Math.max(i, j) - start];
      const text = `${labels[i]} – ${labels[j]}: ${formatNumber(perFrame)} pairs per frame, worst ${formatNumber(worst)} Å (${columnName(page, c)})`;
      axes.dot(above ? low : high, above ? high : low, Math.min(2.2 + 2.2 * Math.sqrt(perFrame), 9),
        { class: `point clash column-${page.hue(c)}` }, text);
      const node = axes.front.lastChild;
      node.addEventListener("click", () => page.focusResidue(i));
      count += 1;
    }
  }
  host.nextElementSibling.textContent = count
    ? `${count} pairs. The area of a mark grows with the number of overlapping atom pairs per frame.`
    : "No two residues overlap in this structure.";
}
