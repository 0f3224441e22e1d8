// The legend, the choices beside the 3D view, and the tables of residues and structures.

// A value of a residue in the chosen column, null where there is none.
function residueValue(page, quantity, residue) {
  return page.data.perResidue[page.state.column][quantity]?.[residue] ?? null;
}

// A fraction in percent, or what it lacks of 100 %.
function percent(value, lacking = false) {
  return value === null ? null : 100 * (lacking ? 1 - value : value);
}

function residueColumns(page) {
  const plain = (key, heading, digits, ascending = false) => ({ key, heading, digits, ascending, value: (row) => residueValue(page, key, row) });
  const inPercent = (key, heading, lacking = false) => ({ key, heading, digits: 0, value: (row) => percent(residueValue(page, key, row), lacking) });
  return [
    plain("rmsd", "RMSD, Å", 2), plain("rmsd_backbone", "backbone, Å", 2), inPercent("chi1_match", "χ1 wrong, %", true),
    plain("expected_error", "expected error, Å", 2), plain("confidence", "confidence in χ1", 2, true),
    plain("overlap04", "overlaps per frame", 2), plain("spacing", "bead spacing", 2),
    inPercent("ramachandran_outliers", "φ/ψ outlier, %"), inPercent("rotamer_outliers", "rotamer outlier, %"),
  ];
}

// The mean of a quantity over the frames of a structure, in the chosen column.
function structureMean(page, quantity, number) {
  const { structure, values } = page.data.perFrame[page.state.column];
  const rows = (values[quantity] ?? []).filter((value, row) => structure[row] === number && value !== null);
  return rows.length ? rows.reduce((sum, value) => sum + value, 0) / rows.length : null;
}

function structureColumns(page) {
  const mean = (key, heading) => ({ key, heading, digits: 2, value: (row) => structureMean(page, key, row) });
  return [
    mean("all.rmsd.all_heavy", "RMSD, Å"), mean("validity.overlap04_per_1000", "overlaps per 1,000 atoms"),
    mean("shape.radius_of_gyration", "radius of gyration, Å"),
  ];
}

class Controls {
  constructor(page) {
    this.page = page;
    this.form = document.getElementById("view-controls");
    this.addTables();
    this.addMethods();
    this.addStructures();
    this.addView();
  }

  addTables() {
    const { page } = this, { labels, structures } = page.data.residues;
    this.residues = new SortableTable(document.getElementById("residues"), {
      first: "residue", columns: residueColumns(page), label: (residue) => labels[residue],
      describe: (residue) => `Show ${labels[residue]} in the 3D view`, pick: (residue) => this.pick(residue),
    });
    this.structures = new SortableTable(document.getElementById("structure-table"), {
      first: "structure", columns: structureColumns(page), label: (number) => structures[number].name,
      describe: (number) => `Show ${structures[number].name}`, pick: (structure) => page.set({ structure, residue: null }),
    });
    document.getElementById("structure-list").hidden = structures.length < 2;
    document.querySelector('nav a[href="#structure-list"]').parentElement.hidden = structures.length < 2;
  }

  addMethods() {
    const { page } = this, host = document.getElementById("methods");
    page.data.columns.forEach((column, number) => {
      const swatch = element("span", { className: `swatch column-${page.hue(number)}`, ariaHidden: "true" });
      if (column.reference) {
        host.append(element("span", { className: "legend-reference" }, swatch, column.name));
        return;
      }
      const input = element("input", { type: "radio", name: "method", value: number, checked: number === page.state.column });
      input.addEventListener("change", () => page.set({ column: number, frame: 0, color: this.keepColor(number) }));
      host.append(element("label", {}, input, swatch, column.name));
    });
  }

  keepColor(number) {
    const choices = this.page.colorChoices(number).map(({ value }) => value);
    return choices.includes(this.page.state.color) ? this.page.state.color : choices[0];
  }

  addStructures() {
    const { page } = this, { structures } = page.data.residues, host = document.getElementById("structures");
    host.hidden = structures.length < 2;
    const select = host.querySelector("select");
    structures.forEach(({ name }, number) => select.append(element("option", { value: number, textContent: name })));
    select.addEventListener("change", () => page.set({ structure: Number(select.value), residue: null }));
  }

  addView() {
    const { page, form } = this;
    form.elements.color.addEventListener("change", (event) => page.set({ color: event.target.value }));
    form.elements.sticks.addEventListener("change", (event) => page.set({ sticks: event.target.value }));
    for (const name of ["reference", "overlaps"]) {
      form.elements[name].addEventListener("change", (event) => page.set({ [name]: event.target.checked }));
    }
    form.elements.reference.closest("label").hidden = page.referenceColumn() === null;
    for (const text of document.querySelectorAll(".with-reference")) text.hidden = page.referenceColumn() === null;
    form.elements.frame.addEventListener("input", (event) => page.set({ frame: Number(event.target.value) }));
    form.elements.reset.addEventListener("click", () => {
      page.set({ residue: null });
      page.viewer?.reset();
    });
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  refresh(all) {
    const { page, form } = this, { state } = page, scene = page.scene();
    const frames = scene ? scene.frames.length : 1;
    form.elements.frame.closest("label").hidden = frames < 2;
    form.elements.frame.max = frames - 1;
    form.elements.frame.value = state.frame;
    document.getElementById("frame-number").textContent = page.shownFrame() ?? "–";
    document.querySelector("#structures select").value = state.structure;
    for (const tiles of document.querySelectorAll(".tiles")) tiles.hidden = Number(tiles.dataset.column) !== state.column;
    if (all) {
      const choices = page.colorChoices(state.column);
      form.elements.color.replaceChildren(...choices.map(({ value, label }) => element("option", { value, textContent: label })));
      const { start, stop } = page.structure();
      this.residues.fill(Array.from({ length: stop - start }, (_, k) => start + k));
      if (page.data.residues.structures.length > 1) this.structures.fill([...page.data.residues.structures.keys()]);
    }
    form.elements.color.value = state.color;
    this.scale();
    this.residues.mark(state.residue);
    this.structures.mark(state.structure);
  }

  // The colour bar under the view.
  scale() {
    const { page } = this, choice = page.colorChoices(page.state.column).find(({ value }) => value === page.state.color);
    const bar = document.getElementById("scale");
    bar.hidden = choice?.top === undefined;
    if (bar.hidden) return;
    const stops = VIRIDIS.map((_, k) => `rgb(${viridis(k / (VIRIDIS.length - 1))})`);
    bar.querySelector(".bar").style.background = `linear-gradient(to right, ${stops})`;
    bar.querySelector(".low").textContent = `0${choice.unit && ` ${choice.unit}`}`;
    bar.querySelector(".high").textContent = `${choice.top}${choice.unit && ` ${choice.unit}`} or more`;
  }

  pick(residue) {
    const model = this.page.model();
    this.page.focusResidue(residue, model ? model.worstFrame(residue) : null);
  }
}
