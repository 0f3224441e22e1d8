// The page: one state, from which all plots, the table and the 3D view follow.

class Page {
  constructor(data) {
    this.data = data;
    this.charts = [];
    this.decoded = new Map();
    this.watchCharts();
    const methods = data.columns.map((_, number) => number).filter((number) => !data.columns[number].reference);
    this.state = {
      column: methods[0], structure: 0, frame: 0, residue: null,
      color: this.colorChoices(methods[0])[0].value, sticks: "side chains", reference: true, overlaps: true,
    };
    this.noteBox = document.getElementById("note");
  }

  structure() {
    return this.data.residues.structures[this.state.structure];
  }

  referenceColumn() {
    const number = this.data.columns.findIndex((column) => column.reference);
    return number < 0 ? null : number;
  }

  // Number of the colour of a column; the first one is the reference's.
  hue(column) {
    return (column + (this.referenceColumn() === null ? 1 : 0)) % 7;
  }

  ramachandranLevels(number) {
    this.levels ??= unpack(this.data.ramachandran.levels);
    return this.levels.subarray(number * 8100, (number + 1) * 8100);
  }

  // The models of the scene of the current structure, decoded when they are first needed.
  scene() {
    const { start } = this.structure();
    const record = this.data.scenes.find((scene) => scene.start === start);
    if (!record) return null;
    if (!this.decoded.has(start)) {
      const models = record.models.map((model) => new Model(model, record.resolution, this.data.atomNames, start));
      this.decoded.set(start, { ...record, models });
    }
    return this.decoded.get(start);
  }

  model(column = this.state.column) {
    return this.scene()?.models.find((model) => model.column === column);
  }

  colorChoices(column) {
    const values = this.data.perResidue[column], choices = [];
    if (values.rmsd) choices.push({ value: "rmsd", label: "deviation from the reference", unit: "Å", top: 3 });
    if (values.expected_error) choices.push({ value: "expected_error", label: "expected error", unit: "Å", top: 3 });
    choices.push({ value: "overlap04", label: "overlaps per frame", unit: "", top: 2 });
    if (values.spacing) choices.push({ value: "spacing", label: "unusual bead spacing", unit: "", top: 1 });
    choices.push({ value: "element", label: "element" }, { value: "chain", label: "method" });
    return choices;
  }

  // Number of the frame that the view shows.
  shownFrame() {
    return this.model()?.frames[this.state.frame] ?? null;
  }

  // Show the frame of the view that is nearest to a frame by its number.
  showFrame(number) {
    const frames = this.model()?.frames;
    if (!frames) return;
    const distance = (k) => Math.abs(frames[k] - number);
    this.set({ frame: frames.reduce((best, _, k) => (distance(k) < distance(best) ? k : best), 0) });
  }

  // Turn the view to a residue, in the frame where it is worst.
  focusResidue(residue, frame = null) {
    const structure = this.data.residues.structures.findIndex(({ start, stop }) => residue >= start && residue < stop);
    this.set({ residue, structure, ...(frame === null ? {} : { frame }) });
    if (this.viewer && this.scene()) this.viewer.focus(residue);
    this.announce(`${this.data.residues.labels[residue]} is shown`);
  }

  set(patch) {
    const before = this.state;
    this.state = { ...before, ...patch };
    const changed = (name) => this.state[name] !== before[name];
    if (changed("structure")) {
      this.state.frame = patch.frame ?? 0;
      this.showScene();
    }
    this.showLayers();
    const all = changed("column") || changed("structure");
    for (const chart of this.charts) {
      if (all || (chart.follows && (changed("residue") || changed("frame")))) chart.draw();
    }
    this.controls?.refresh(all);
  }

  // A plot that is drawn when it comes near the visible part of the page, and again when the state changes;
  // `follows` says that it shows the chosen residue and frame.
  addChart(host, draw, follows = false) {
    const chart = {
      follows, near: false, due: true,
      draw() {
        this.due = !this.near;
        if (this.near) draw(host);
      },
    };
    this.charts.push(chart);
    this.near.observe(host);
    this.chartOf.set(host, chart);
  }

  watchCharts() {
    this.chartOf = new Map();
    this.near = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        const chart = this.chartOf.get(target);
        chart.near = isIntersecting;
        if (isIntersecting && chart.due) chart.draw();
      }
    }, { rootMargin: "800px" });
    addEventListener("beforeprint", () => {
      for (const chart of this.charts) {
        chart.near = true;
        if (chart.due) chart.draw();
      }
    });
  }

  showScene() {
    const scene = this.scene();
    if (!this.viewer) return;
    this.viewer.explain(scene ? "" : "The 3D view has no room for this structure. All figures and plots have it.");
    if (scene) this.viewer.setScene(scene);
  }

  showLayers() {
    const scene = this.scene();
    if (!this.viewer || !scene) return;
    const { column, frame, residue, sticks, overlaps } = this.state;
    const reference = this.referenceColumn(), layers = [];
    const neutral = this.css("--view-reference");
    if (this.state.reference && reference !== null && reference !== column && this.model(reference)) {
      layers.push({ model: this.model(reference), frame, ghost: true, color: () => neutral, sticks });
    }
    const model = this.model(column);
    if (model) layers.push({ model, frame, ghost: false, color: this.atomColor(model), sticks, overlaps });
    this.viewer.setLayers(layers, this.css("--view-overlap"), residue);
    const label = this.viewer.label;
    if (residue !== null) {
      const deviation = model?.deviation(frame, residue);
      label.textContent = this.data.residues.labels[residue] + (deviation == null ? "" : ` · ${deviation.toFixed(2)} Å`);
    }
  }

  css(name) {
    return cssColor(getComputedStyle(document.documentElement).getPropertyValue(name));
  }

  // The colour of an atom of a model, by the choice of the page.
  atomColor(model) {
    const { color, frame, column } = this.state, own = this.css(`--column-${this.hue(column)}`);
    if (color === "element") return (atom) => ELEMENT_COLORS[model.names[atom][0]];
    if (color === "chain") return () => own;
    const values = this.data.perResidue[column][color], { top } = this.colorChoices(column).find(({ value }) => value === color);
    const grey = this.css("--view-reference");
    const shades = new Map();
    return (atom) => {
      const residue = model.residue[atom];
      if (!shades.has(residue)) {
        const value = color === "rmsd" ? model.deviation(frame, residue) : values?.[residue];
        shades.set(residue, value == null ? grey : viridis(value / top));
      }
      return shades.get(residue);
    };
  }

  note(lines, event) {
    this.noteBox.hidden = !lines;
    if (!lines) return;
    this.noteBox.replaceChildren(...lines.map((line) => Object.assign(document.createElement("div"), { textContent: line })));
    const { offsetWidth: width, offsetHeight: height } = this.noteBox;
    const x = event.clientX + 14 + width > innerWidth ? event.clientX - 14 - width : event.clientX + 14;
    const y = Math.max(4, Math.min(event.clientY - height / 2, innerHeight - height - 4));
    this.noteBox.style.translate = `${x}px ${y}px`;
  }

  announce(text) {
    document.getElementById("announcement").textContent = text;
  }

  startViewer(host) {
    try {
      this.viewer = new Viewer(host, (residue) => this.focusResidue(residue));
    } catch (error) {
      explainView(host, "This browser offers no WebGL 2, which the 3D view needs. All other parts of the page work.");
      return;
    }
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.set({}));
    this.showScene();
    this.showLayers();
  }
}

function startPage() {
  const data = JSON.parse(document.getElementById("data").textContent);
  const page = new Page(data);
  addCharts(page);
  page.controls = new Controls(page);
  page.controls.refresh(true);
  // The text is there before the 3D view is made.
  requestAnimationFrame(() => setTimeout(() => page.startViewer(document.querySelector(".view"))));
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    for (const chart of page.charts) chart.draw();
  });
  window.latcpbReport = page;
}
