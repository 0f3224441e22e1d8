// The legend, the choices beside the 3D view, and the table of residues.

const TABLE_ROWS = 200;

// A fraction in percent, or what it lacks of 100 %.
function percent(values, residue, lacking = false) {
  const value = values?.[residue];
  if (value === null || value === undefined) return null;
  return 100 * (lacking ? 1 - value : value);
}

// Columns of the table: heading, value of a residue, and digits. Larger values come first.
const TABLE_COLUMNS = [
  { key: "rmsd", heading: "RMSD, Å", digits: 2 },
  { key: "rmsd_backbone", heading: "backbone, Å", digits: 2 },
  { key: "chi1_miss", heading: "χ1 wrong, %", digits: 0, of: (values, r) => percent(values.chi1_match, r, true) },
  { key: "expected_error", heading: "expected error, Å", digits: 2 },
  { key: "confidence", heading: "confidence in χ1", digits: 2, ascending: true },
  { key: "overlap04", heading: "overlaps per frame", digits: 2 },
  { key: "spacing", heading: "bead spacing", digits: 2 },
  { key: "ramachandran_outliers", heading: "φ/ψ outlier, %", digits: 0, of: (values, r) => percent(values.ramachandran_outliers, r) },
  { key: "rotamer_outliers", heading: "rotamer outlier, %", digits: 0, of: (values, r) => percent(values.rotamer_outliers, r) },
];

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

class Controls {
  constructor(page) {
    this.page = page;
    this.sort = null;
    this.form = document.getElementById("view-controls");
    this.body = document.querySelector("#residues tbody");
    this.head = document.querySelector("#residues thead tr");
    this.addMethods();
    this.addStructures();
    this.addView();
    this.body.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) this.pick(Number(button.dataset.residue));
    });
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
      this.fillTable();
    }
    form.elements.color.value = state.color;
    this.scale();
    for (const row of this.body.rows) row.classList.toggle("chosen", Number(row.dataset.residue) === state.residue);
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

  value(column, residue) {
    const values = this.page.data.perResidue[this.page.state.column];
    return column.of ? column.of(values, residue) : values[column.key]?.[residue] ?? null;
  }

  text(column, residue) {
    const value = this.value(column, residue);
    return value === null ? "–" : value.toFixed(column.digits);
  }

  fillTable() {
    const { start, stop } = this.page.structure();
    const residues = Array.from({ length: stop - start }, (_, k) => start + k);
    const columns = TABLE_COLUMNS.filter((column) => residues.some((r) => this.value(column, r) !== null));
    if (!columns.some(({ key }) => key === this.sort?.key)) this.sort = columns[0] ? { key: columns[0].key, reverse: false } : null;
    this.fillHead(columns);
    const column = columns.find(({ key }) => key === this.sort?.key);
    if (column) {
      const sign = (column.ascending ? -1 : 1) * (this.sort.reverse ? -1 : 1);
      const rank = new Map(residues.map((r) => [r, this.value(column, r)]));
      residues.sort((a, b) => (rank.get(a) === null) - (rank.get(b) === null) || sign * (rank.get(b) - rank.get(a)) || a - b);
    }
    this.body.replaceChildren(...residues.slice(0, TABLE_ROWS).map((residue) => this.row(residue, columns)));
  }

  fillHead(columns) {
    const cells = columns.map((column) => {
      const chosen = column.key === this.sort?.key;
      const button = element("button", { type: "button", textContent: column.heading });
      button.addEventListener("click", () => {
        this.sort = { key: column.key, reverse: chosen && !this.sort.reverse };
        this.fillTable();
        [...this.head.querySelectorAll("button")].find(({ textContent }) => textContent === column.heading).focus();
      });
      const cell = element("th", { scope: "col", className: "number" }, button);
      const ascending = Boolean(column.ascending) !== Boolean(this.sort?.reverse);
      cell.ariaSort = chosen ? (ascending ? "ascending" : "descending") : "none";
      return cell;
    });
    this.head.replaceChildren(element("th", { scope: "col", textContent: "residue" }), ...cells);
  }

  row(residue, columns) {
    const name = this.page.data.residues.labels[residue];
    const button = element("button", { type: "button", textContent: name });
    button.dataset.residue = residue;
    button.ariaLabel = `Show ${name} in the 3D view`;
    const cells = columns.map((column) => element("td", { className: "number", textContent: this.text(column, residue) }));
    const row = element("tr", {}, element("th", { scope: "row" }, button), ...cells);
    row.dataset.residue = residue;
    row.classList.toggle("chosen", residue === this.page.state.residue);
    return row;
  }

  pick(residue) {
    const model = this.page.model();
    this.page.focusResidue(residue, model ? model.worstFrame(residue) : null);
  }
}
