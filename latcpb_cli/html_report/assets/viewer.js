// The 3D view: drawing, mouse, touch and keys. `state` says what is shown; see Page.

const CAMERA_MS = 450;
const FOCUS_ZOOM = 9;
// Pause before a view is drawn with smooth edges, and the time of a first drawing above which it never is.
const REST_MS = 160;
const SLOW_MS = 400;

// Put a text in the place of the 3D view, or take it away.
function explainView(host, text) {
  const message = host.querySelector(".view-message");
  message.textContent = text;
  message.hidden = !text;
  host.classList.toggle("no-view", Boolean(text));
}

class Viewer {
  constructor(host, onPick) {
    this.host = host;
    this.canvas = host.querySelector("canvas");
    this.label = host.querySelector(".view-label");
    this.renderer = new RodRenderer(this.canvas);
    this.onPick = onPick;
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    for (const [name, printing] of [["beforeprint", true], ["afterprint", false]]) {
      addEventListener(name, () => {
        this.printing = printing;
        if (this.scene) this.paint(Math.max(2, devicePixelRatio));
      });
    }
  }

  // Show a scene from its best side, so that its first frame fills the view.
  setScene(scene) {
    this.scene = scene;
    this.moving = null;
    this.home = new Camera(this.fittingZoom(scene), scene.orientation);
    this.camera ??= new Camera(this.home.zoom, this.home.rotation);
    this.camera.mix(this.home.view(), this.home.view(), 1);
  }

  explain(text) {
    explainView(this.host, text);
  }

  fittingZoom({ models, orientation }) {
    const shape = this.canvas.clientHeight / Math.max(this.canvas.clientWidth, 1);
    let zoom = 5;
    for (const model of models) {
      for (let atom = 0; atom < model.names.length; atom++) {
        const [x, y] = rotate(orientation, model.position(0, atom));
        zoom = Math.max(zoom, Math.abs(x) * shape, Math.abs(y));
      }
    }
    return zoom + 1.5;
  }

  // `layers` are {model, frame, color, ghost, sticks, overlaps}: a ghost is thin, `color` gives that of an atom,
  // `sticks` is "all", "side chains" or nothing.
  setLayers(layers, overlapColor, selected) {
    const rods = new RodList(4096);
    for (const { model, frame, ghost, color, sticks, overlaps } of layers) {
      addTube(rods, model, frame, ghost ? 0.14 : 0.3, color);
      if (sticks) addSticks(rods, model, frame, ghost ? 0.09 : 0.15, color, sticks === "all");
      if (selected !== null && !ghost) addResidue(rods, model, frame, selected, color);
      if (overlaps) addOverlaps(rods, model, frame, overlapColor);
    }
    this.layers = layers;
    this.selected = selected;
    this.renderer.load(rods);
    this.draw();
  }

  getView() {
    return this.camera.view();
  }

  // Bring a residue to the middle of the view, facing the reader.
  focus(residue) {
    const { model, frame } = this.layers.at(-1);
    const atoms = model.atomsOf(residue);
    if (!atoms.length) return;
    const points = atoms.map((atom) => model.position(frame, atom));
    const centre = [0, 1, 2].map((k) => points.reduce((sum, point) => sum + point[k], 0) / points.length);
    const outward = Math.hypot(...centre) > 1 ? this.camera.facing(centre) : this.camera.rotation;
    this.moveTo([...centre, FOCUS_ZOOM, ...outward]);
  }

  reset() {
    this.moveTo(this.home.view());
  }

  moveTo(target) {
    const start = this.getView(), begin = performance.now();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.moving = target;
    const step = (now) => {
      if (this.moving !== target) return;
      const part = still ? 1 : Math.min(1, (now - begin) / CAMERA_MS);
      this.camera.mix(start, target, part * part * (3 - 2 * part));
      this.draw();
      if (part < 1) requestAnimationFrame(step);
      else this.moving = null;
    };
    requestAnimationFrame(step);
  }

  // Draw with the next frame of the screen, and once more with smooth edges when the view has come to rest.
  draw() {
    if (this.pending || !this.scene || this.host.classList.contains("no-view")) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = null;
      clearTimeout(this.rest);
      this.paint(devicePixelRatio);
      if (!this.slow) this.rest = setTimeout(() => this.paint(Math.max(2, devicePixelRatio)), REST_MS);
    });
  }

  // Draw with this many pixels for a pixel of the page.
  paint(scale) {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    const style = getComputedStyle(this.canvas), color = (name) => cssColor(style.getPropertyValue(name)).map((x) => x / 255);
    const { zoom } = this.camera, radius = this.scene.radius + Math.hypot(...this.camera.centre);
    const begin = performance.now();
    this.renderer.resize(Math.round(width * scale), Math.round(height * scale));
    this.renderer.draw(this.camera, {
      radius,
      front: zoom < 0.7 * this.scene.radius ? 1.1 * zoom : 2 * radius,
      background: color(this.printing ? "--print-background" : "--view-background"),
      outline: color(this.printing ? "--print-outline" : "--view-outline"),
      haze: Math.min(radius, 1.6 * zoom),
      thick: 0.8 * scale,
    });
    if (this.slow === undefined) {
      this.renderer.settle();
      this.slow = performance.now() - begin > SLOW_MS;
    }
    this.placeLabel();
  }

  // Pixels of a point (Å) from the upper left corner of the view.
  project(point) {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const [x, y, z] = rotate(this.camera.rotation, point.map((value, k) => value - this.camera.centre[k]));
    const scale = height / 2 / this.camera.zoom;
    return [width / 2 + x * scale, height / 2 - y * scale, z];
  }

  placeLabel() {
    const layer = this.layers?.at(-1);
    const atom = layer && this.selected !== null ? layer.model.atomsOf(this.selected).at(-1) : undefined;
    this.label.hidden = atom === undefined;
    if (atom === undefined) return;
    const [x, y] = this.project(layer.model.position(layer.frame, atom));
    this.label.style.translate = `${Math.round(x + 16)}px ${Math.round(y - 34)}px`;
  }

  // The atom under the pointer.
  pick(x, y) {
    let best = null;
    for (const layer of this.layers) {
      for (let atom = 0; atom < layer.model.names.length; atom++) {
        if (!layer.sticks && layer.model.names[atom] !== "CA") continue;
        const [px, py, z] = this.project(layer.model.position(layer.frame, atom));
        if (Math.hypot(px - x, py - y) < 9 && (!best || z > best.z)) best = { layer, atom, z };
      }
    }
    return best;
  }

  listen() {
    const canvas = this.canvas, pointers = new Map();
    let moved = 0;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, event);
      moved = 0;
    });
    canvas.addEventListener("pointermove", (event) => {
      const last = pointers.get(event.pointerId);
      if (!last) return;
      const dx = event.clientX - last.clientX, dy = event.clientY - last.clientY;
      moved += Math.abs(dx) + Math.abs(dy);
      if (pointers.size === 2) this.pinch(pointers, event);
      else this.drag(dx, dy, event.shiftKey || event.buttons === 2);
      pointers.set(event.pointerId, event);
    });
    canvas.addEventListener("pointerup", (event) => {
      pointers.delete(event.pointerId);
      const hit = moved < 5 && this.pick(event.offsetX, event.offsetY);
      if (hit) this.onPick(hit.layer.model.residue[hit.atom]);
    });
    canvas.addEventListener("pointercancel", (event) => pointers.delete(event.pointerId));
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("wheel", (event) => {
      // The page scrolls until the view has been clicked.
      if (document.activeElement !== canvas && !event.ctrlKey) return;
      event.preventDefault();
      this.zoomBy(Math.exp(event.deltaY / 600));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  drag(dx, dy, panning) {
    this.moving = null;
    const perPixel = (2 * this.camera.zoom) / this.canvas.clientHeight;
    if (panning) this.camera.pan(dx * perPixel, -dy * perPixel);
    else this.camera.turn(dx / 140, dy / 140);
    this.draw();
  }

  pinch(pointers, event) {
    const other = [...pointers.values()].find((pointer) => pointer.pointerId !== event.pointerId);
    const last = pointers.get(event.pointerId);
    const distance = (point) => Math.hypot(point.clientX - other.clientX, point.clientY - other.clientY);
    this.zoomBy(distance(last) / Math.max(distance(event), 1));
  }

  zoomBy(factor) {
    this.moving = null;
    this.camera.zoom = Math.min(Math.max(this.camera.zoom * factor, 3), 6 * this.scene.radius);
    this.draw();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const turn = Math.PI / 18;
    const actions = {
      ArrowLeft: () => this.camera.turn(-turn, 0), ArrowRight: () => this.camera.turn(turn, 0),
      ArrowUp: () => this.camera.turn(0, -turn), ArrowDown: () => this.camera.turn(0, turn),
      "+": () => this.zoomBy(0.87), "=": () => this.zoomBy(0.87), "-": () => this.zoomBy(1.15),
      Home: () => this.reset(),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    if (event.key !== "Home") this.moving = null;
    action();
    this.draw();
  }
}
