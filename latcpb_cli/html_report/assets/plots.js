// Axes, lines and maps as SVG. Sizes are in pixels; colours come from the style sheet.

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";

function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG_NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// "#rrggbb" as [r, g, b] from 0 to 255.
function cssColor(text) {
  const hex = text.trim().replace("#", "");
  return [0, 2, 4].map((k) => parseInt(hex.slice(k, k + 2), 16));
}

// About `count` round numbers between two limits.
function niceTicks(low, high, count = 5) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((x) => x * power).find((x) => x >= rough - 1e-12);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) ticks.push(k * step);
  return ticks;
}

function formatNumber(value, digits = 2) {
  if (value === null || value === undefined) return "–";
  const text = value !== 0 && Math.abs(value) < 0.1 ? value.toPrecision(2) : String(+value.toFixed(digits));
  return text.replace("-", "−");
}

const ANGLE_TICKS = [-180, -120, -60, 0, 60, 120, 180];

// A periodic square map with `factor` times as many cells along each side, interpolated.
function refined(map, size, factor) {
  const fine = size * factor, out = new Float32Array(fine * fine);
  const split = (k) => {
    const place = (k + 0.5) / factor - 0.5 + size, low = Math.floor(place);
    return [low % size, (low + 1) % size, place - low];
  };
  for (let i = 0; i < fine; i++) {
    const [i0, i1, u] = split(i);
    for (let j = 0; j < fine; j++) {
      const [j0, j1, v] = split(j);
      out[i * fine + j] = (1 - u) * ((1 - v) * map[i0 * size + j0] + v * map[i0 * size + j1])
        + u * ((1 - v) * map[i1 * size + j0] + v * map[i1 * size + j1]);
    }
  }
  return out;
}

// A plot with two axes. `x` and `y` are {low, high, label, ticks, format}.
class Axes {
  constructor(host, { height, x, y, label, margin = {} }) {
    this.margin = { top: 10, right: 18, bottom: x.label ? 40 : 24, left: y.label ? 54 : 34, ...margin };
    this.width = Math.max(host.clientWidth, 120);
    this.height = height === "square"
      ? this.width - this.margin.left - this.margin.right + this.margin.top + this.margin.bottom : height;
    this.x = x;
    this.y = y;
    this.root = svg("svg", {
      viewBox: `0 0 ${this.width} ${this.height}`, width: this.width, height: this.height,
      role: "img", "aria-label": label,
    });
    this.inner = {
      left: this.margin.left, right: this.width - this.margin.right,
      top: this.margin.top, bottom: this.height - this.margin.bottom,
    };
    this.back = this.root.appendChild(svg("g"));
    this.drawAxes();
    this.front = this.root.appendChild(svg("g"));
    host.replaceChildren(this.root);
  }

  px(value) {
    const { left, right } = this.inner;
    return left + ((value - this.x.low) / (this.x.high - this.x.low)) * (right - left);
  }

  py(value) {
    const { top, bottom } = this.inner;
    return bottom - ((value - this.y.low) / (this.y.high - this.y.low)) * (bottom - top);
  }

  // The value on the x axis under the pointer, null outside.
  valueAt(event) {
    const box = this.root.getBoundingClientRect();
    const place = ((event.clientX - box.left) / box.width) * this.width;
    const { left, right } = this.inner;
    if (place < left - 4 || place > right + 4) return null;
    return this.x.low + ((place - left) / (right - left)) * (this.x.high - this.x.low);
  }

  drawAxes() {
    const { left, right, top, bottom } = this.inner;
    const group = this.root.appendChild(svg("g", { class: "axes" }));
    for (const tick of this.x.ticks ?? niceTicks(this.x.low, this.x.high, Math.max(3, this.width / 90))) {
      const at = this.px(tick);
      group.append(svg("line", { x1: at, x2: at, y1: top, y2: bottom, class: "grid" }),
        svg("text", { x: at, y: bottom + 16, "text-anchor": "middle" }, (this.x.format ?? formatNumber)(tick)));
    }
    for (const tick of this.y.ticks ?? niceTicks(this.y.low, this.y.high, Math.max(3, this.height / 50))) {
      const at = this.py(tick);
      group.append(svg("line", { x1: left, x2: right, y1: at, y2: at, class: "grid" }),
        svg("text", { x: left - 7, y: at + 4, "text-anchor": "end" }, (this.y.format ?? formatNumber)(tick)));
    }
    const middle = (top + bottom) / 2;
    group.append(svg("rect", { x: left, y: top, width: right - left, height: bottom - top, class: "frame" }));
    if (this.x.label) {
      group.append(svg("text", { x: (left + right) / 2, y: bottom + 34, "text-anchor": "middle", class: "title" },
        this.x.label));
    }
    if (this.y.label) {
      group.append(svg("text", { x: 13, y: middle, "text-anchor": "middle", class: "title",
        transform: `rotate(-90 13 ${middle})` }, this.y.label));
    }
  }

  // A line through values in order, with gaps where one is null; a value between two gaps is a dot.
  line(xs, ys, attributes) {
    const isMissing = (k) => ys[k] === null || ys[k] === undefined;
    const at = (k) => `${this.px(xs[k]).toFixed(1)} ${this.py(Math.min(ys[k], this.y.high)).toFixed(1)}`;
    let path = "";
    for (let k = 0; k < ys.length; k++) {
      if (!isMissing(k)) path += `${k === 0 || isMissing(k - 1) ? "M" : "L"}${at(k)}`;
    }
    this.front.append(svg("path", { d: path, fill: "none", ...attributes }));
    const alone = [...ys.keys()].filter((k) => !isMissing(k) && (k === 0 || isMissing(k - 1)) && isMissing(k + 1));
    if (alone.length) {
      const dots = alone.map((k) => `M${at(k)}h0`).join("");
      this.front.append(svg("path", { d: dots, fill: "none", ...attributes, "stroke-linecap": "round" }));
    }
  }

  area(xs, ys, attributes) {
    const points = xs.map((x, k) => `${this.px(x).toFixed(1)} ${this.py(ys[k]).toFixed(1)}`).join("L");
    const [low, first, last] = [this.py(this.y.low), this.px(xs[0]), this.px(xs.at(-1))];
    this.front.append(svg("path", { d: `M${first} ${low}L${points}L${last} ${low}Z`, ...attributes }));
  }

  vertical(value, attributes, where = this.front) {
    const at = this.px(value);
    where.append(svg("line", { x1: at, x2: at, y1: this.inner.top, y2: this.inner.bottom, ...attributes }));
  }

  // Many dots as one path: points of no length with round caps.
  cloud(points, attributes) {
    const path = points.map(([x, y]) => `M${this.px(x).toFixed(1)} ${this.py(y).toFixed(1)}h0`).join("");
    this.front.append(svg("path", { d: path, fill: "none", ...attributes }));
  }

  dot(x, y, radius, attributes, title) {
    const node = svg("circle", { cx: this.px(x).toFixed(1), cy: this.py(y).toFixed(1), r: radius, ...attributes });
    if (title) node.append(svg("title", {}, title));
    this.front.append(node);
  }

  // The outline of the cells of a square map (first index x, second y) that reach a level, as one path.
  outline(map, size, reaches, attributes) {
    const cell = (this.x.high - this.x.low) / size;
    const at = (k) => this.x.low + k * cell;
    const inside = (i, j) => i >= 0 && j >= 0 && i < size && j < size && reaches(map[i * size + j]);
    let path = "";
    const edge = (x1, y1, x2, y2) => {
      path += `M${this.px(x1).toFixed(1)} ${this.py(y1).toFixed(1)}L${this.px(x2).toFixed(1)} ${this.py(y2).toFixed(1)}`;
    };
    for (let i = 0; i <= size; i++) {
      for (let j = 0; j <= size; j++) {
        if (inside(i, j) !== inside(i - 1, j) && i > 0 && i < size) edge(at(i), at(j), at(i), at(j + 1));
        if (inside(i, j) !== inside(i, j - 1) && j > 0 && j < size) edge(at(i), at(j), at(i + 1), at(j));
      }
    }
    this.front.append(svg("path", { d: path, fill: "none", ...attributes }));
  }

  // Fill the cells of a square map that reach a level, as runs along y.
  fill(map, size, reaches, attributes) {
    const cell = (this.x.high - this.x.low) / size;
    let path = "";
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        const start = j;
        while (j < size && reaches(map[i * size + j])) j++;
        if (j === start) continue;
        const [x1, x2] = [this.px(this.x.low + i * cell), this.px(this.x.low + (i + 1) * cell)];
        const [y1, y2] = [this.py(this.y.low + start * cell), this.py(this.y.low + j * cell)];
        path += `M${x1.toFixed(1)} ${y1.toFixed(1)}H${x2.toFixed(1)}V${y2.toFixed(1)}H${x1.toFixed(1)}Z`;
      }
    }
    this.back.append(svg("path", { d: path, ...attributes }));
  }

  // Lines along which a smooth periodic map (first index x, second y) has a value, by marching squares.
  contour(map, size, level, attributes) {
    const cell = (this.x.high - this.x.low) / size;
    const value = (i, j) => map[(i % size) * size + (j % size)] - level;
    let path = "";
    for (let i = 0; i < size - 1; i++) {
      for (let j = 0; j < size - 1; j++) {
        const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
        const crossings = [];
        corners.forEach(([ai, aj], k) => {
          const [bi, bj] = corners[(k + 1) % 4], a = value(ai, aj), b = value(bi, bj);
          if (a >= 0 === b >= 0) return;
          const part = a / (a - b);
          const x = this.x.low + (ai + part * (bi - ai) + 0.5) * cell;
          const y = this.y.low + (aj + part * (bj - aj) + 0.5) * cell;
          crossings.push(`${this.px(x).toFixed(1)} ${this.py(y).toFixed(1)}`);
        });
        for (let k = 0; k + 1 < crossings.length; k += 2) path += `M${crossings[k]}L${crossings[k + 1]}`;
      }
    }
    this.front.append(svg("path", { d: path, fill: "none", ...attributes }));
  }
}
