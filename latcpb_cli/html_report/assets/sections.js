// Which plots stand in which section.

const ALONG = [
  { quantity: "rmsd", label: "RMSD", unit: "Å", floor: 1 },
  { quantity: "confidence", label: "confidence in χ1", floor: 1 },
  { quantity: "expected_error", label: "expected error", unit: "Å", floor: 1 },
  { quantity: "overlap04", label: "overlaps per frame", floor: 1 },
  { quantity: "spacing", label: "bead spacing", floor: 1 },
];
const OVER_FRAMES = [
  { quantity: "all.rmsd.all_heavy", label: "RMSD", unit: "Å" },
  { quantity: "validity.overlap04_per_1000", label: "overlaps / 1,000 atoms" },
  { quantity: "validity.contact12_percent", label: "contacts < 1.2 Å", unit: "%" },
  { quantity: "shape.radius_of_gyration", label: "radius of gyration", unit: "Å", relative: true },
];

// Host elements for the plots of a section, each in a figure of its own.
function addHosts(id, items) {
  const section = document.getElementById(id);
  section.hidden = !items.length;
  const link = document.querySelector(`nav a[href="#${id}"]`);
  if (link) link.parentElement.hidden = !items.length;
  const grid = section.querySelector(".plots");
  return items.map((item) => {
    const host = grid.appendChild(element("div", { className: "plot" }));
    return [item, host];
  });
}

// The arrow keys select the residue before or after.
function stepThroughResidues(page, host, label) {
  host.tabIndex = 0;
  host.role = "slider";
  host.ariaLabel = `${label} of each residue; the arrow keys move along the sequence`;
  const update = () => {
    const { start, stop } = page.structure();
    host.ariaValueMin = 1;
    host.ariaValueMax = stop - start;
    host.ariaValueNow = (page.state.residue ?? start) - start + 1;
    host.ariaValueText = page.data.residues.labels[page.state.residue ?? start];
  };
  update();
  host.addEventListener("keydown", (event) => {
    const { start, stop } = page.structure(), { residue } = page.state;
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10, Home: -Infinity, End: Infinity };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const next = residue === null ? start : Math.min(Math.max(residue + steps[event.key], start), stop - 1);
    page.focusResidue(next);
    update();
  });
}

function addCharts(page) {
  const { data } = page;
  const along = ALONG.filter(({ quantity }) => data.perResidue.some((values) => values[quantity]));
  for (const [options, host] of addHosts("along", along)) {
    page.addChart(host, (at) => drawAlong(page, at, options), true);
    stepThroughResidues(page, host, options.label);
  }
  const several = data.perFrame.some(({ frame }) => new Set(frame).size > 1);
  const over = OVER_FRAMES.filter(({ quantity }) => several && data.perFrame.some(({ values }) => values[quantity]));
  for (const [options, host] of addHosts("frames", over)) page.addChart(host, (at) => drawFrames(page, at, options), true);
  for (const [panel, host] of addHosts("torsions", data.torsions)) page.addChart(host, (at) => drawDensity(page, at, panel));
  for (const [number, host] of addHosts("ramachandran", [...(data.ramachandran?.classes ?? []).keys()])) {
    page.addChart(host, (at) => drawRamachandran(page, at, number));
  }
  for (const [panel, host] of addHosts("rotamers", data.chi)) page.addChart(host, (at) => drawChi(page, at, panel));
  page.addChart(document.getElementById("overlap-map"), (at) => drawOverlapMap(page, at));
}
