// One front end, two hosts: an anywidget with a kernel behind it, and a page with recorded states.
// A scene is {text, panels: [{marks: [...], xlim, ylim, ...}]}; arrays are {$: index} into a store.

// ---------- elements ----------
const SVG = "http://www.w3.org/2000/svg";
const el = (tag, props = {}, ...kids) => {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...kids);
  return node;
};
const set = (node, attributes) => {
  for (const [k, v] of Object.entries(attributes)) node.setAttribute(k, v);
  return node;
};
const svg = (tag, attributes = {}, parent) => {
  const node = set(document.createElementNS(SVG, tag), attributes);
  parent?.append(node);
  return node;
};
let count = 0;
const newId = () => "dlc" + ++count + Math.random().toString(36).slice(2, 6);

// JupyterLab takes arrows, Enter and Space away from controls in command mode unless the focused
// element carries this attribute. Only plain keys are claimed: Shift+Enter still runs the cell.
const OWN = /^(Arrow|Page|Home$|End$|Enter$| $)/;
const claim = (e) => {
  const plain = !(e.ctrlKey || e.metaKey || e.altKey || e.shiftKey);
  if (e.target?.closest?.(".dlc")) e.target.toggleAttribute("data-lm-suppress-shortcuts", OWN.test(e.key) && plain);
};
removeEventListener("keydown", globalThis.dlcClaim, true);
addEventListener("keydown", (globalThis.dlcClaim = claim), true);

// ---------- arrays ----------
function decode(meta, bytes) {
  const copy = new Uint8Array(bytes); // a copy is aligned for 16 bits
  const raw = meta.d === "u1" ? copy : new Uint16Array(copy.buffer);
  const top = meta.d === "u1" ? 254 : 65534;
  const k = (meta.hi - meta.lo) / top, v = new Float64Array(raw.length);
  for (let i = 0; i < raw.length; i++) {
    const q = meta.lo + raw[i] * k;
    v[i] = raw[i] > top ? NaN : meta.log ? 10 ** q : q;
  }
  return { v, raw, lo: meta.lo, hi: meta.hi };
}

async function openStore(text) {
  const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const buffer = await new Response(stream).arrayBuffer();
  const n = new DataView(buffer).getUint32(0, true);
  const store = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, n)));
  const blob = new Uint8Array(buffer, 4 + n), cache = [];
  store.get = (i) => {
    const a = store.arrays[i];
    return (cache[i] ??= decode(a, blob.subarray(a.o, a.o + a.n)));
  };
  return store;
}

// ---------- axes ----------
function scale(lo, hi, from, to, log) {
  const f = log ? Math.log10 : (v) => v, a = f(lo), k = (to - from) / (f(hi) - a);
  const s = (v) => from + (f(v) - a) * k;
  s.invert = (px) => (log ? 10 ** (a + (px - from) / k) : a + (px - from) / k);
  s.unit = Math.abs(k);
  return s;
}
function ticks(from, to, n, log) {
  const lo = Math.min(from, to), hi = Math.max(from, to), out = [];
  if (log) {
    const a = Math.ceil(Math.log10(lo) - 1e-9), b = Math.floor(Math.log10(hi) + 1e-9);
    for (let e = a; e <= b; e += Math.max(1, Math.ceil((b - a) / n))) out.push(10 ** e);
    return out.length > 1 ? out : ticks(lo, hi, 3);
  }
  const raw = (hi - lo) / n, p = 10 ** Math.floor(Math.log10(raw)), q = raw / p;
  const s = p * (q > 5 ? 10 : q > 2 ? 5 : q > 1 ? 2 : 1);
  for (let i = Math.ceil(lo / s - 1e-9); i * s <= hi + 1e-9 * s; i++) out.push(i * s);
  return out;
}
const SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹";
function tickText(v, log) {
  const e = Math.round(Math.log10(Math.abs(v)));
  if (log && Math.abs(e) > 2 && Math.abs(10 ** e / v - 1) < 1e-9)
    return "10" + (e < 0 ? "⁻" : "") + [...String(Math.abs(e))].map((d) => SUPERSCRIPT[d]).join("");
  const plain = v === 0 ? "0" : Math.abs(v) >= 1e5 || Math.abs(v) < 1e-3 ? v.toExponential(0) : String(+v.toPrecision(4));
  return plain.replace("-", "−");
}

// ---------- colours ----------
const colour = (c) => (/^(c[1-6]|fg|muted)$/.test(c) ? `var(--${c})` : c);
const VIRIDIS = [[68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142], [31, 158, 137], [53, 183, 121], [110, 206, 88], [181, 222, 43], [253, 231, 37]];
function rgbOf(css) {
  const c = (rgbOf.context ??= el("canvas", { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true }));
  c.fillStyle = css;
  c.fillRect(0, 0, 1, 1);
  return [...c.getImageData(0, 0, 1, 1).data].slice(0, 3);
}
function between(stops, t) {
  const at = Math.min(1, Math.max(0, t)) * (stops.length - 1), i = Math.min(stops.length - 2, Math.floor(at));
  return stops[i].map((a, j) => a + (at - i) * (stops[i + 1][j] - a));
}
function colourStops(cmap, node) {
  if (cmap === "viridis") return VIRIDIS;
  if (cmap === "gray") return [[0, 0, 0], [255, 255, 255]];
  const style = getComputedStyle(node), get = (v) => rgbOf(style.getPropertyValue(v).trim() || "#888");
  const paper = get("--paper"), mix = (c) => c.map((q, j) => 0.75 * q + 0.25 * paper[j]);
  return [mix(get("--c1")), paper, mix(get("--c2"))];
}
function lookup(cmap, node) {
  const table = new Uint32Array(256), stops = colourStops(cmap, node);
  for (let k = 0; k < 255; k++) {
    const [r, g, b] = between(stops, k / 254).map(Math.round);
    table[k] = ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  }
  return table; // code 255 (not a number) stays transparent
}

// ---------- marks: each path in pixels, from arrays and scales ----------
const f1 = (v) => Math.max(-1e4, Math.min(1e4, v)).toFixed(1);
const drawable = (a, b) => a === a && b === b;
const each = (x, y, X, Y, make) => {
  const out = [];
  for (let j = 0; j < y.length; j++) {
    const a = X(x[j]), b = Y(y[j]);
    if (drawable(a, b)) out.push(make(a, b, j));
  }
  return out.join("");
};
const PATH = {
  plot(m, A, X, Y) {
    const x = A("x"), y = A("y"), out = [];
    let pen = "M";
    for (let j = 0; j < y.length; j++) {
      const a = X(x[j]), b = Y(y[j]);
      if (drawable(a, b)) out.push(pen, f1(a), ",", f1(b));
      pen = drawable(a, b) ? "L" : "M";
    }
    return out.join("");
  },
  scatter(m, A, X, Y) {
    const r = m.size;
    const shape = {
      "^": (a, b) => `M${f1(a)},${f1(b - 1.2 * r)}l${1.15 * r},${2 * r}h${-2.3 * r}z`,
      x: (a, b) => `M${f1(a - r)},${f1(b - r)}l${2 * r},${2 * r}m0,${-2 * r}l${-2 * r},${2 * r}`,
    };
    return each(A("x"), A("y"), X, Y, shape[m.marker] ?? ((a, b) => `M${f1(a)},${f1(b)}h.01`));
  },
  bar(m, A, X, Y) {
    const w = m.width * X.unit, zero = f1(Y.log ? Y.bottom : Y(0));
    return each(A("x"), A("y"), X, Y, (a, b) => `M${f1(a - w / 2)},${zero}h${f1(w)}V${f1(b)}h${f1(-w)}z`);
  },
  fill_between(m, A, X, Y) {
    const x = A("x"), y1 = A("y1"), y2 = A("y2"), out = [];
    let run = [];
    const close = () => {
      const back = run.map((j) => `${f1(X(x[j]))},${f1(Y(y2[j]))}`).reverse();
      if (run.length > 1) out.push("M", run.map((j) => `${f1(X(x[j]))},${f1(Y(y1[j]))}`).join("L"), "L", back.join("L"), "z");
      run = [];
    };
    for (let j = 0; j < x.length; j++) drawable(X(x[j]) + Y(y1[j]), Y(y2[j])) ? run.push(j) : close();
    close();
    return out.join("");
  },
  quiver(m, A, X, Y) {
    const x = A("x"), y = A("y"), u = A("u"), v = A("v");
    return each(x, y, X, Y, (a, b, j) => {
      const c = X(x[j] + u[j]), d = Y(y[j] + v[j]), long = Math.hypot(c - a, d - b);
      if (!(long > 0.5)) return "";
      const h = Math.min(7, 0.45 * long) / long, p = (c - a) * h, q = (d - b) * h;
      return `M${f1(a)},${f1(b)}L${f1(c)},${f1(d)}M${f1(c - p - q / 2)},${f1(d - q + p / 2)}L${f1(c)},${f1(d)}L${f1(c - p + q / 2)},${f1(d - q - p / 2)}`;
    });
  },
};
const line = (m, width) => ({ fill: "none", stroke: colour(m.color), "stroke-width": width, "stroke-linejoin": "round", "stroke-linecap": "round" });
const cap = (m, width, c) => ({ fill: "none", stroke: c, "stroke-width": width, "stroke-linecap": m.marker === "s" ? "square" : "round" });
const dots = (m) => m.type === "scatter" && "os".includes(m.marker);
const side = (m) => (m.marker === "s" ? 1.7 : 2) * m.size;
const STYLE = {
  plot: (m) => ({ ...line(m, m.width), "stroke-linecap": "butt", "stroke-dasharray": m.dash ?? "none" }),
  scatter: (m) => (dots(m) ? cap(m, side(m), colour(m.color)) : m.marker === "x" ? line(m, Math.max(1.5, m.size / 2)) : { fill: colour(m.color), stroke: "var(--paper)", "stroke-width": 1, "paint-order": "stroke" }),
  bar: (m) => ({ fill: colour(m.color) }),
  fill_between: (m) => ({ fill: colour(m.color), "fill-opacity": m.alpha }),
  quiver: (m) => line(m, 1.4),
};
function swatch(m) {
  const box = svg("svg", { width: 22, height: 12, viewBox: "0 0 22 12", "aria-hidden": "true" });
  if (m.type === "bar" || m.type === "fill_between") svg("rect", { x: 4, y: 1, width: 14, height: 10, ...STYLE[m.type](m) }, box);
  else if (m.type === "scatter") svg("path", { d: PATH.scatter({ ...m, size: 4 }, (k) => [k === "x" ? 11 : 6], (v) => v, (v) => v), ...STYLE.scatter({ ...m, size: 4 }) }, box);
  else svg("path", { d: "M1,6H21", ...STYLE[m.type](m) }, box);
  return box;
}

// ---------- one panel ----------
class Panel {
  constructor(figure, parent) {
    this.figure = figure;
    const id = newId();
    this.title = el("p", { className: "dlc-title" });
    this.images = set(el("div", { className: "dlc-images" }), { "aria-hidden": "true" });
    this.plot = el("div", { className: "dlc-plot" }, this.images);
    this.svg = svg("svg", { role: "img" }, this.plot);
    this.legend = el("ul", { className: "dlc-legend" });
    this.el = el("div", { className: "dlc-panel" }, this.title, this.plot, this.legend);
    parent.append(this.el);
    this.grid = svg("g", {}, this.svg);
    this.clip = svg("rect", {}, svg("clipPath", { id }, this.svg));
    this.marks = svg("g", { "clip-path": `url(#${id})` }, this.svg);
    this.watch = new ResizeObserver(() => this.resized());
    this.watch.observe(this.plot);
  }
  resized() {
    const now = Math.round(this.plot.clientWidth);
    const first = !this.attached; // drawn before it was in the page: neither width nor theme were known
    this.attached ||= this.el.isConnected;
    if (this.last && now && (first || Math.abs(now - this.drawnWidth) > 1)) this.draw(...this.last);
  }
  layout(p) {
    const [w, h] = p.size, bare = p.bare;
    const W = Math.round(this.plot.clientWidth) || w, shrink = p.equal || bare ? W / w : Math.max(W / w, W < w ? 0.85 : 0);
    const H = Math.round(h * Math.min(shrink, 1.25));
    // words beside the axis, about 6.7 pixels a letter, may need more room than numbers
    const words = 6.7 * Math.max(0, ...(p.yticks ?? []).map(([, name]) => name.length));
    this.beside = Math.max(43, words + 20);
    let L = bare ? 2 : Math.max(p.ylabel ? this.beside + 13 : 42, words + 12), R = bare ? 2 : 12, T = bare ? 2 : 8, B = bare ? 2 : p.xlabel ? 42 : 24;
    if (p.equal) {
      const dx = Math.abs(p.xlim[1] - p.xlim[0]), dy = Math.abs(p.ylim[1] - p.ylim[0]);
      const unit = Math.min((W - L - R) / dx, (H - T - B) / dy), spare = W - L - R - unit * dx;
      L += spare / 2; R += spare / 2; B = H - T - unit * dy;
    }
    this.drawnWidth = W;
    this.text = Math.max(0.75, Math.min(1, W / w));
    return { W, H, L, R, T, B };
  }
  draw(p, get) {
    this.last = [p, get];
    const at = this.layout(p), { W, H, L, R, T, B } = at;
    const X = (this.X = scale(p.xlim[0], p.xlim[1], L, W - R, p.xlog));
    const Y = (this.Y = scale(p.ylim[0], p.ylim[1], H - B, T, p.ylog));
    Object.assign(Y, { log: p.ylog, bottom: H - B });
    const kind = p.marks.map((m) => [m.type, m.label, m.color, m.marker, m.size, m.dash, m.width, m.alpha]);
    const key = JSON.stringify([at, p.title, p.xlabel, p.ylabel, p.xlim, p.ylim, p.xlog, p.ylog, p.xticks, p.yticks, kind]);
    if (key !== this.key) this.frame(p, at, key);
    this.svg.setAttribute("aria-label", p.alt ?? this.figure.altFor(this, p));
    this.pictures = [];
    p.marks.forEach((m, i) => this.mark(m, i, get));
    this.images.hidden = !this.pictures.length;
    while (this.images.children.length > this.pictures.length) this.images.lastChild.remove();
    this.pictures.forEach((picture, i) => this.image(i, ...picture, at));
  }
  frame(p, { W, H, L, R, T, B }, key) {
    this.key = key;
    this.el.style.flexBasis = Math.min(300, 0.75 * p.size[0]) + "px";
    this.el.style.maxWidth = 1.2 * p.size[0] + "px";
    set(this.svg, { viewBox: `0 0 ${W} ${H}`, height: H });
    set(this.clip, { x: L, y: T, width: W - L - R, height: H - T - B });
    this.title.textContent = p.title ?? "";
    this.title.hidden = !p.title;
    this.grid.replaceChildren();
    if (!p.bare) this.axes(p, { W, H, L, R, T, B });
    this.marks.replaceChildren();
    this.nodes = [];
    const named = p.marks.filter((m) => m.label);
    this.legend.replaceChildren(...named.map((m) => el("li", {}, swatch(m), m.label)));
    this.legend.hidden = !named.length;
  }
  axes(p, { W, H, L, R, T, B }) {
    const g = this.grid, lines = !p.marks.some((m) => m.type === "imshow");
    const write = (attributes, words) => (svg("text", attributes, g).textContent = words);
    const places = (given, lim, log, room) => given ?? ticks(...lim, Math.max(2, Math.min(6, Math.round(room))), log).map((v) => [v, tickText(v, log)]);
    for (const [v, words] of places(p.xticks, p.xlim, p.xlog, (W - L - R) / 62)) {
      if (lines && !p.xticks) svg("path", { d: `M${this.X(v)},${T}V${H - B}`, stroke: "var(--grid)" }, g);
      write({ x: this.X(v), y: H - B + 16, "text-anchor": "middle" }, words);
    }
    for (const [v, words] of places(p.yticks, p.ylim, p.ylog, (H - T - B) / 42)) {
      if (lines && !p.yticks) svg("path", { d: `M${L},${this.Y(v)}H${W - R}`, stroke: "var(--grid)" }, g);
      write({ x: L - 7, y: this.Y(v) + 4, "text-anchor": "end" }, words);
    }
    svg("path", { d: `M${L},${T}V${H - B}H${W - R}`, fill: "none", stroke: "var(--axis)" }, g);
    if (p.xlabel) write({ x: (L + W - R) / 2, y: H - B + 36, "text-anchor": "middle" }, p.xlabel);
    if (p.ylabel) write({ transform: `translate(${L - this.beside} ${(T + H - B) / 2}) rotate(-90)`, "text-anchor": "middle" }, p.ylabel);
  }
  mark(m, i, get) {
    const whole = (k) => {
      const a = get(m[k].$);
      return m[k].n === undefined ? a.v : a.v.subarray(0, m[k].n);
    };
    if (m.type === "imshow") return this.pictures.push([m, get(m.z.$)]);
    if (m.type === "text") return this.write(m, i);
    if (!this.nodes[i]) {
      const under = dots(m) && svg("path", cap(m, side(m) + 1.6, "var(--paper)"), this.marks);
      this.nodes[i] = [svg("path", STYLE[m.type](m), this.marks), ...(under ? [under] : [])];
    }
    const d = PATH[m.type](m, whole, this.X, this.Y);
    for (const node of this.nodes[i]) if (node.d !== d) set(node, { d }).d = d;
  }
  write(m, i) {
    this.nodes[i] ??= [svg("text", {}, this.marks)];
    const style = `fill:${colour(m.color)};font-size:${12 * this.text}px`;
    set(this.nodes[i][0], { x: this.X(m.x), y: this.Y(m.y), "text-anchor": m.anchor, style }).textContent = m.text;
  }
  image(i, m, a, { W, H, L, R, T, B }) {
    const c = this.images.children[i] ?? this.images.appendChild(el("canvas"));
    const [h, w] = m.shape, [left, right, bottom, top] = m.extent, X = this.X, Y = this.Y;
    const iw = W - L - R, ih = H - T - B, pc = (v, whole) => (100 * v) / whole + "%";
    Object.assign(this.images.style, { left: pc(L, W), top: pc(T, H), width: pc(iw, W), height: pc(ih, H) });
    const x = Math.min(X(left), X(right)), y = Math.min(Y(top), Y(bottom));
    const flip = `scale(${X(left) > X(right) ? -1 : 1},${Y(top) > Y(bottom) ? -1 : 1})`;
    Object.assign(c.style, {
      left: pc(x - L, iw), top: pc(y - T, ih), width: pc(Math.abs(X(right) - X(left)), iw), height: pc(Math.abs(Y(bottom) - Y(top)), ih),
      transform: flip, imageRendering: m.smooth ? "auto" : "pixelated",
    });
    if (c.width !== w || c.height !== h) Object.assign(c, { width: w, height: h });
    const context = c.getContext("2d"), pixels = context.createImageData(w, h), out = new Uint32Array(pixels.data.buffer);
    if (m.cmap === "rgb") for (let j = 0; j < w * h; j++) out[j] = ((255 << 24) | (a.raw[3 * j + 2] << 16) | (a.raw[3 * j + 1] << 8) | a.raw[3 * j]) >>> 0;
    else {
      const table = this.figure.lookup(m.cmap);
      for (let j = 0; j < w * h; j++) out[j] = table[a.raw[j]];
    }
    context.putImageData(pixels, 0, 0);
  }
}

// ---------- the figure ----------
const ICON = {
  play: "M1.5,.5L9,5L1.5,9.5Z",
  pause: "M1.5,.5h2.5v9h-2.5zM6,.5h2.5v9h-2.5z",
  step: "M1,.5L6,5L1,9.5ZM7,.5h2v9h-2z",
  reset: "M1,.5h2v9h-2zM9,.5L4,5L9,9.5Z",
};
class Figure {
  constructor(host, config) {
    this.config = config;
    this.panelsBox = el("div", { className: "dlc-panels" });
    this.controls = set(el("div", { className: "dlc-controls" }), { role: "group", "aria-label": "Controls" });
    this.readout = el("p", { className: "dlc-read" });
    this.spoken = set(el("p", { className: "dlc-sr" }), { role: "status" });
    this.note = el("p", { className: "dlc-note", textContent: config.note ?? "" });
    this.problem = set(el("p", { className: "dlc-err", hidden: true }), { role: "alert" });
    this.el = set(el("div", { className: "dlc" }, this.panelsBox, this.controls, this.readout, this.spoken, this.problem, this.note), { role: "group", "aria-label": config.label });
    this.note.hidden = !config.note;
    this.panels = [];
    this.tables = {};
    host.append(this.el);
    this.themes = new MutationObserver(() => this.themed());
    this.themes.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "class"] });
    this.themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });
    this.scheme = matchMedia("(prefers-color-scheme:dark)");
    this.scheme.addEventListener("change", (this.onScheme = () => this.themed()));
  }
  themed() {
    // pages fade colours from one theme to the other; the canvas waits until they have settled
    clearTimeout(this.themeTimer);
    this.themeTimer = setTimeout(() => {
      this.tables = {};
      for (const p of this.panels) p.last && p.draw(...p.last);
    }, 250);
  }
  lookup(cmap) {
    if (!this.el.isConnected) return lookup(cmap, this.el);
    return (this.tables[cmap] ??= lookup(cmap, this.el));
  }
  altFor(panel, p) {
    if (this.panels[0] === panel) return this.config.alt;
    return p.title ?? [p.ylabel, p.xlabel].filter(Boolean).join(" against ") + " (see the first panel)";
  }
  draw(scene, get) {
    while (this.panels.length < scene.panels.length) this.panels.push(new Panel(this, this.panelsBox));
    while (this.panels.length > scene.panels.length) this.panels.pop().el.remove();
    scene.panels.forEach((p, i) => this.panels[i].draw(p, get));
    if (this.readout.textContent !== scene.text) {
      this.readout.textContent = scene.text;
      clearTimeout(this.speakTimer); // read aloud once things have settled
      this.speakTimer = setTimeout(() => (this.spoken.textContent = scene.text), 700);
    }
    this.readout.hidden = !scene.text;
    this.el.dataset.drawn = +(this.el.dataset.drawn ?? 0) + 1;
  }
  error(text) {
    this.problem.hidden = !text;
    if (this.problem.textContent !== text) this.problem.textContent = text;
  }
  control(c, changed) {
    const id = newId(), name = el("span", { textContent: c.label });
    const label = el("label", { className: "dlc-ctl", htmlFor: id }, name);
    this.controls.append(label);
    return c.kind === "choice" ? this.choice(c, id, label, changed) : this.slider(c, id, label, changed);
  }
  choice(c, id, label, changed) {
    const input = el("select", { id }, ...c.labels.map((t, i) => el("option", { value: i, textContent: t })));
    input.value = c.init;
    input.addEventListener("change", () => changed(+input.value));
    label.append(input);
    return { get: () => +input.value, set: (i) => (input.value = i) };
  }
  slider(c, id, label, changed) {
    const input = el("input", { type: "range", id, min: 0, max: c.labels.length - 1, step: 1 });
    input.value = c.init;
    const value = set(el("output"), { for: id, "aria-live": "off" });
    value.style.minWidth = Math.min(12, Math.max(3, ...c.labels.map((t) => t.length))) + "ch";
    const say = () => {
      value.textContent = c.labels[+input.value] ?? "";
      input.setAttribute("aria-valuetext", value.textContent);
    };
    say();
    input.addEventListener("input", () => (say(), changed(+input.value)));
    label.append(input, value);
    const put = (i) => ((input.value = i), say());
    return { get: () => +input.value, set: put, labels: (all) => ((c.labels = all), (input.max = all.length - 1), say()) };
  }
  buttons(defs) {
    const box = el("div", { className: "dlc-btns" }), out = {};
    for (const [name, icon, words, onclick] of defs) {
      const button = (out[name] = el("button", { type: "button", onclick }));
      button.face = (i, text) => {
        const g = svg("svg", { viewBox: "0 0 10 10", width: 10, height: 10, "aria-hidden": "true" });
        svg("path", { d: ICON[i], fill: "currentColor" }, g);
        if (button.textContent !== text) button.replaceChildren(g, text);
      };
      button.face(icon, words);
      box.append(button);
    }
    this.controls.append(box);
    return out;
  }
  // A click or a drag in the first panel moves two sliders to the pointer's data coordinates.
  pick(dims, controls, changed) {
    const wanted = this.config.pick, plot = this.panels[0]?.svg;
    if (!wanted || !plot) return;
    const nearest = (values, v) => values.reduce((best, x, i) => (Math.abs(x - v) < Math.abs(values[best] - v) ? i : best), 0);
    const move = (e) => {
      const box = plot.getBoundingClientRect(), panel = this.panels[0], k = panel.drawnWidth / box.width;
      const at = [panel.X.invert((e.clientX - box.left) * k), panel.Y.invert((e.clientY - box.top) * k)];
      wanted.forEach((c, i) => controls[c].set(nearest(dims[c].values, at[i])));
      changed();
    };
    plot.classList.add("dlc-pick");
    plot.addEventListener("pointerdown", (e) => (plot.setPointerCapture(e.pointerId), move(e)));
    plot.addEventListener("pointermove", (e) => e.buttons && move(e));
  }
  destroy() {
    this.themes.disconnect();
    this.scheme.removeEventListener("change", this.onScheme);
    this.panels.forEach((p) => p.watch.disconnect());
    clearTimeout(this.speakTimer);
    clearTimeout(this.themeTimer);
    this.el.remove();
  }
}

// ---------- host 1: a page, every state recorded ----------
async function mountPage(root) {
  const store = await openStore(root.querySelector(".dlc-store").textContent), figure = new Figure(root, store.cfg);
  const dims = store.dims, controls = [], last = dims.length - 1;
  const clock = dims[last]?.kind === "time" ? dims[last] : null;
  root.querySelectorAll(".dlc-fallback").forEach((n) => n.remove());
  const show = () => {
    const k = dims.reduce((at, d, i) => at * d.labels.length + controls[i].get(), 0);
    figure.draw(store.frames[k], store.get);
  };
  const stop = clock ? replay(figure, clock, () => controls[last], show) : () => {};
  dims.forEach((d) => controls.push(figure.control(d, () => ((d === clock) && stop(), show()))));
  figure.controls.hidden = !dims.length;
  show();
  figure.pick(dims, controls, show);
}
function replay(figure, clock, control, show) {
  const end = clock.labels.length - 1;
  let timer = 0;
  const stop = () => ((timer = clearInterval(timer)), buttons.go.face("play", "Play"));
  const go = (i) => (control().set(i), show());
  const tick = () => {
    go(Math.min(end, control().get() + 1));
    if (control().get() === end) stop();
  };
  const play = () => {
    if (control().get() >= end) go(0);
    buttons.go.face("pause", "Pause");
    timer = setInterval(tick, 125);
  };
  const buttons = figure.buttons([
    ["go", "play", "Play", () => (timer ? stop() : play())],
    ["step", "step", "Step", () => (stop(), tick())],
    ["reset", "reset", "Reset", () => (stop(), go(0))],
  ]);
  return stop;
}

// ---------- host 2: a kernel ----------
const bytesOf = (b) => (b.buffer ? new Uint8Array(b.buffer, b.byteOffset, b.byteLength) : new Uint8Array(b));
function reader(frame, buffers) {
  const cache = [];
  return (i) => (cache[i] ??= decode(frame.arrays[i], bytesOf(buffers[i])));
}
function render({ model, el: root }) {
  const config = model.get("config"), figure = new Figure(root, config), controls = [];
  const values = () => controls.map((c) => c.get());
  const send = (type, more = {}) => model.send({ type, values: values(), ...more });
  const host = config.mode === "train" ? training(figure, send) : exploring(figure, send);
  for (const d of config.dims) controls.push(figure.control(d, host.changed));
  host.ready?.();
  figure.controls.hidden = !figure.controls.children.length;
  if (config.caption) root.append(el("p", { className: "dlc-caption", textContent: config.caption }));
  let heard = false;
  const onMessage = (m, buffers) => {
    heard = true;
    if (m.type === "error") return host.failed?.(), figure.error(m.text);
    if (m.type === "status") return host.status(m.running);
    figure.error("");
    host.frame(m, reader(m, buffers));
  };
  const onLatest = () => {
    const m = model.get("latest");
    if (m.scene) host.latest(m, reader(m, m.data));
  };
  model.on("msg:custom", onMessage);
  model.on("change:latest", onLatest);
  onLatest();
  figure.pick(config.dims, controls, host.changed);
  // the kernel may be busy or the channel not yet open: ask again, ever more rarely
  let wait = 1500, timer = 0;
  const hello = () => {
    if (heard || !host.hello) return;
    host.hello();
    timer = setTimeout(hello, (wait *= 2));
  };
  hello();
  return () => {
    clearTimeout(timer);
    model.off("msg:custom", onMessage);
    model.off("change:latest", onLatest);
    host.bye?.();
    figure.destroy();
  };
}
// At most one request is under way; the newest position of the sliders wins.
function exploring(figure, send) {
  let busy = 0, again = false, seq = 0;
  const ask = () => {
    if (busy && Date.now() - busy < 20000) return void (again = true);
    busy = Date.now();
    again = false;
    send("set", { seq: ++seq });
  };
  const done = () => ((busy = 0), again && ask());
  const frame = (m, get) => (figure.draw(m.scene, get), done());
  return { changed: ask, frame, latest: (m, get) => figure.draw(m.scene, get), failed: done };
}
const KEPT = 400; // frames of history in the browser; beyond it every second one goes
function training(figure, send) {
  let history = [], follow = true, running = false, scrub = null;
  const face = () => (running ? buttons.go.face("pause", "Pause") : buttons.go.face("play", "Start"));
  const reset = () => ((history = []), (follow = true), figure.error(""), send("reset"));
  const buttons = figure.buttons([
    ["go", "play", "Start", () => send(running ? "pause" : "start")],
    ["step", "step", "Step", () => send("step")],
    ["reset", "reset", "Reset", reset],
  ]);
  const latest = (m, get) => {
    const step = m.step ?? 0;
    history = history.filter((h) => h.step < step);
    history.push({ scene: m.scene, get, step });
    if (history.length > KEPT) history = history.filter((h, i) => i % 2 === 0 || i === history.length - 1);
    scrub.labels(history.map((h) => String(h.step)));
    if (!follow) return;
    scrub.set(history.length - 1);
    figure.draw(m.scene, get);
  };
  return {
    changed: reset,
    ready() {
      scrub = figure.control({ label: "history: step", labels: ["0"], init: 0 }, (i) => {
        follow = i >= history.length - 1;
        if (history[i]) figure.draw(history[i].scene, history[i].get);
      });
    },
    latest,
    frame: (m, get) => (latest(m, get), send("ack", { seq: m.seq })),
    status: (now) => ((running = now), face()),
    hello: () => send("hello"),
    bye: () => send("bye"),
  };
}

// ---------- start ----------
function mountAll() {
  // JupyterLab strips the data of outputs it does not trust: their stills stay
  for (const host of document.querySelectorAll(".dlc-host:has(.dlc-store):not([data-on])")) {
    host.dataset.on = 1;
    mountPage(host).catch((e) => console.error("figure not drawn:", e));
  }
}
mountAll();
setTimeout(mountAll, 300); // a notebook may attach its outputs after their scripts have run
setTimeout(mountAll, 2000);
export default { render };
