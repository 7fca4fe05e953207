// The timeline of the page: units over time on a canvas, from the JSON in #timeline-data.
//
// A lane is an unbroken sequence of intervals: their lengths in cycles and their kinds, both as
// base-64 LEB128 numbers; a kind is [state, text, place, merged instructions].  Every pixel
// column adds up the states of the cycles below it, so 50,000 intervals draw in a few
// milliseconds at any zoom and nothing short disappears.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("timeline-data").textContent);
  const canvas = document.getElementById("timeline");
  const overview = document.getElementById("overview");
  const tip = document.getElementById("tip");
  const rangeText = document.getElementById("range");
  const GUTTER = 104, AXIS = 24, BAND = 24, LANE = 32, GAP = 8, OVERVIEW = 26;
  const HEIGHT = AXIS + BAND + GAP + data.lanes.length * (LANE + GAP);
  const STATES = data.states.length;
  const total = data.cycles;
  const view = { from: 0, to: total };
  let colour = {}, hover = null, pending = false, overviewImage = null;

  function numbers(base64) {
    const raw = atob(base64), out = [];
    let value = 0, scale = 1;
    for (let i = 0; i < raw.length; i++) {
      const byte = raw.charCodeAt(i);
      value += (byte & 127) * scale;
      if (byte & 128) scale *= 128;
      else { out.push(value); value = 0; scale = 1; }
    }
    return out;
  }

  for (const lane of data.lanes) {
    const lengths = numbers(lane.lengths);
    lane.kinds = Uint32Array.from(numbers(lane.kinds));
    lane.edges = new Float64Array(lengths.length + 1);
    for (let i = 0; i < lengths.length; i++) lane.edges[i + 1] = lane.edges[i] + lengths[i];
    lane.state = Uint8Array.from(lane.kinds, kind => data.kinds[kind][0]);
  }

  // "#rrggbb" as the number that a pixel is in memory.
  function pixel(hex) {
    const bytes = [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16));
    return new Uint32Array(Uint8Array.of(...bytes, 255).buffer)[0];
  }

  function readColours() {
    const style = getComputedStyle(document.documentElement);
    const get = name => style.getPropertyValue(name).trim();
    colour = { ink: get("--ink"), soft: get("--soft"), faint: get("--faint"), line: get("--line"),
      hair: get("--hair"), card: get("--card"), accent: get("--accent"),
      pixels: data.states.map((_, i) => pixel(get("--state-" + i))) };
    overviewImage = null;
  }

  const grouped = new Intl.NumberFormat("en-US");
  const count = value => grouped.format(Math.round(value));
  function time(cycles) {
    const seconds = cycles / data.hz;
    if (seconds >= 1e-3) return (seconds * 1e3).toPrecision(4) + " ms";
    if (seconds >= 1e-6) return (seconds * 1e6).toPrecision(4) + " µs";
    return (seconds * 1e9).toPrecision(3) + " ns";
  }
  const percent = share => (share * 100).toFixed(share < 0.0995 ? 1 : 0) + " %";

  // Index of the interval of a sorted edge array that holds the cycle.
  function find(edges, cycle) {
    let low = 0, high = edges.length - 2;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (edges[middle] <= cycle) low = middle; else high = middle - 1;
    }
    return low;
  }

  // Cycles of every state below every pixel column: Float32Array[width × STATES].
  function columns(lane, from, to, width) {
    const sums = new Float32Array(width * STATES), scale = width / (to - from);
    const last = lane.kinds.length;
    for (let i = find(lane.edges, from); i < last && lane.edges[i] < to; i++) {
      const a = Math.max(0, (lane.edges[i] - from) * scale);
      const b = Math.min(width, (lane.edges[i + 1] - from) * scale);
      const state = lane.state[i], first = Math.floor(a), end = Math.floor(b);
      if (first === end) { if (first < width) sums[first * STATES + state] += b - a; continue; }
      sums[first * STATES + state] += first + 1 - a;
      for (let x = first + 1; x < end; x++) sums[x * STATES + state] = 1;
      if (end < width) sums[end * STATES + state] += b - end;
    }
    return sums;
  }

  // The columns as stacks of pixels: working at the bottom, then the reasons for waiting.
  function picture(context, sums, width, height) {
    const image = context.createImageData(width, height), pixels = new Uint32Array(image.data.buffer);
    for (let x = 0; x < width; x++) {
      let bottom = height, below = 0;
      for (let state = 0; state < STATES; state++) {
        const share = sums[x * STATES + state];
        if (share === 0) continue;
        below += share;
        const top = Math.max(0, Math.round(height * (1 - below)));
        for (let y = top; y < bottom; y++) pixels[y * width + x] = colour.pixels[state];
        if (top < bottom) bottom = top;
      }
    }
    return image;
  }

  // Draws a lane's cycles [from, to) at y of the canvas, right of the gutter; returns their columns.
  function drawLane(context, lane, from, to, y, height) {
    const ratio = window.devicePixelRatio || 1, width = Math.round(plot * ratio);
    const sums = columns(lane, from, to, width);
    const image = picture(context, sums, width, Math.round(height * ratio));
    context.putImageData(image, Math.round(GUTTER * ratio), Math.round(y * ratio));
    return sums;
  }

  function prepare(element, height) {
    const ratio = window.devicePixelRatio || 1, width = element.clientWidth;
    if (element.width !== Math.round(width * ratio) || element.height !== Math.round(height * ratio)) {
      element.width = Math.round(width * ratio);
      element.height = Math.round(height * ratio);
      element.style.height = height + "px";
    }
    const context = element.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = "12px " + getComputedStyle(document.body).fontFamily;
    context.textBaseline = "middle";
    return [context, width];
  }

  const laneTop = index => AXIS + BAND + GAP + index * (LANE + GAP);
  let plot = 50;  // CSS pixels between the gutter and the right edge; measured once per drawing
  const measure = () => { plot = Math.max(50, Math.floor(canvas.clientWidth - GUTTER)); };
  const toPixel = cycle => GUTTER + (cycle - view.from) / (view.to - view.from) * plot;
  const toCycle = pixel => view.from + (pixel - GUTTER) / plot * (view.to - view.from);

  function drawAxis(context, width) {
    const span = view.to - view.from, rough = span / Math.max(2, plot / 110);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = Math.max(1, [1, 2, 5, 10].find(m => m * power >= rough) * power);
    context.textAlign = "center";
    for (let tick = Math.ceil(view.from / step) * step; tick <= view.to; tick += step) {
      const x = toPixel(tick);
      context.fillStyle = colour.hair;
      context.fillRect(Math.round(x), AXIS - 4, 1, HEIGHT - AXIS);
      if (x < GUTTER + 24 || x > width - 36) continue;
      context.fillStyle = colour.soft;
      context.fillText(count(tick), x, 9);
    }
    context.textAlign = "left";
    context.fillStyle = colour.faint;
    context.fillText("cycle", 0, 9);
  }

  function fitted(context, text, room) {
    if (context.measureText(text).width <= room) return text;
    let keep = Math.floor(text.length * room / context.measureText(text).width);
    while (keep > 1 && context.measureText(text.slice(0, keep) + "…").width > room) keep--;
    return keep > 2 ? text.slice(0, keep) + "…" : "";
  }

  // As much of "CONV.f16.f16 2×256 pixels…" as fits: cut short, mnemonic with mode, mnemonic.
  function caption(context, text, room) {
    const word = text.split(" ")[0], width = context.measureText(word).width;
    if (room >= width + 40) return fitted(context, text, room);
    return [word, word.split(".")[0]].find(name => context.measureText(name).width <= room) || "";
  }

  function drawLayers(context) {
    context.fillStyle = colour.faint;
    context.fillText("layers", 0, AXIS + BAND / 2);
    data.layers.forEach((layer, index) => {
      const a = Math.max(GUTTER, toPixel(layer.start));
      const b = Math.min(GUTTER + plot, toPixel(layer.end));
      if (b <= GUTTER || a >= GUTTER + plot) return;
      context.fillStyle = colour.line;
      context.globalAlpha = index % 2 ? 0.95 : 0.55;
      context.fillRect(a, AXIS, Math.max(0.5, b - a - 0.5), BAND);
      context.globalAlpha = 1;
      context.fillStyle = colour.card;
      for (const [start] of layer.launches.slice(1)) {
        const x = toPixel(start);
        if (b - a > 40 && x > a && x < b) context.fillRect(x, AXIS + BAND - 5, 1, 5);
      }
      if (b - a > 22) {
        context.fillStyle = colour.ink;
        context.fillText(fitted(context, layer.label, b - a - 10), a + 5, AXIS + BAND / 2);
      }
    });
  }

  function drawBlocks(context, lane, y) {
    const scale = plot / (view.to - view.from);
    let i = find(lane.edges, view.from);
    for (; i < lane.kinds.length && lane.edges[i] < view.to; i++) {
      const wide = (lane.edges[i + 1] - lane.edges[i]) * scale;
      if (wide < 3 || lane.state[i] !== 0) continue;
      const a = toPixel(lane.edges[i]);
      context.fillStyle = colour.card;
      if (a > GUTTER) context.fillRect(a - 0.5, y, 1, LANE);
      const left = Math.max(a, GUTTER), right = Math.min(a + wide, GUTTER + plot);
      if (right - left < 26) continue;
      const text = data.texts[data.kinds[lane.kinds[i]][1]] || "";
      context.fillText(caption(context, text, right - left - 10), left + 5, y + LANE / 2 + 0.5);
    }
  }

  function draw() {
    pending = false;
    measure();
    const [context, width] = prepare(canvas, HEIGHT);
    drawAxis(context, width);
    drawLayers(context);
    data.lanes.forEach((lane, index) => {
      const y = laneTop(index), sums = drawLane(context, lane, view.from, view.to, y, LANE);
      let busy = 0;
      for (let i = 0; i < sums.length; i += STATES) busy += sums[i];
      drawBlocks(context, lane, y);
      context.fillStyle = colour.ink;
      context.fillText(lane.name, 0, y + LANE / 2 - 7);
      context.fillStyle = colour.soft;
      context.fillText(percent(busy * STATES / sums.length), 0, y + LANE / 2 + 8);
    });
    if (hover && hover.lane !== undefined) {
      const a = Math.max(GUTTER, toPixel(hover.start)), b = Math.min(GUTTER + plot, toPixel(hover.end));
      context.strokeStyle = colour.ink;
      context.lineWidth = 1.5;
      context.strokeRect(a - 0.5, laneTop(hover.lane) - 1, Math.max(1, b - a), LANE + 2);
    }
    drawOverview();
    rangeText.textContent = `cycles ${count(view.from)} to ${count(view.to)} · ${time(view.to - view.from)}`;
  }

  function drawOverview() {
    const [context] = prepare(overview, OVERVIEW);
    const ratio = window.devicePixelRatio || 1;
    context.fillStyle = colour.faint;
    context.fillText("whole run", 0, OVERVIEW / 2);
    if (!overviewImage || overviewImage.plot !== plot || overviewImage.ratio !== ratio) {
      drawLane(context, data.lanes[data.overview], 0, total, 3, OVERVIEW - 6);
      const copy = Object.assign(document.createElement("canvas"), { width: overview.width, height: overview.height });
      copy.getContext("2d").drawImage(overview, 0, 0);
      overviewImage = { copy, plot, ratio };
    } else {
      context.drawImage(overviewImage.copy, 0, 0, overview.width / ratio, overview.height / ratio);
    }
    const a = GUTTER + view.from / total * plot, b = GUTTER + view.to / total * plot;
    context.fillStyle = colour.card;
    context.globalAlpha = 0.72;
    context.fillRect(GUTTER, 0, a - GUTTER, OVERVIEW);
    context.fillRect(b, 0, GUTTER + plot - b, OVERVIEW);
    context.globalAlpha = 1;
    context.strokeStyle = colour.ink;
    context.lineWidth = 1;
    context.strokeRect(Math.round(a) + 0.5, 0.5, Math.max(2, Math.round(b - a) - 1), OVERVIEW - 1);
  }

  function redraw() {
    if (!pending) { pending = true; requestAnimationFrame(draw); }
  }

  function show(from, to) {
    const span = Math.min(total, Math.max(Math.min(20, total), to - from));
    view.from = Math.min(Math.max(0, from), total - span);
    view.to = view.from + span;
    redraw();
  }

  function zoom(factor, about = (view.from + view.to) / 2) {
    show(about - (about - view.from) * factor, about + (view.to - about) * factor);
  }
  const pan = share => { const d = share * (view.to - view.from); show(view.from + d, view.to + d); };
  const fit = () => show(0, total);

  function showLayer(index) {
    const layer = data.layers[Math.min(data.layers.length - 1, Math.max(0, index))];
    const margin = (layer.end - layer.start) * 0.02;
    show(Math.max(0, layer.start - margin), Math.min(total, layer.end + margin));
  }
  function currentLayer() {
    const middle = (view.from + view.to) / 2;
    const index = data.layers.findIndex(layer => middle < layer.end);
    return index < 0 ? data.layers.length - 1 : index;
  }
  const step = way => showLayer(view.to - view.from >= total * 0.999 ? (way > 0 ? 0 : data.layers.length - 1)
    : currentLayer() + way);

  const element = (name, text, kind) => {
    const node = document.createElement(name);
    node.textContent = text;
    if (kind) node.className = kind;
    return node;
  };

  function describe(position) {
    const cycle = toCycle(position.x);
    if (position.x < GUTTER || cycle < 0 || cycle >= total) return null;
    const layer = data.layers.find(item => cycle >= item.start && cycle < item.end);
    if (position.y >= AXIS && position.y < AXIS + BAND) return layer ? describeLayer(layer, cycle) : null;
    const index = Math.floor((position.y - laneTop(0)) / (LANE + GAP));
    if (index < 0 || index >= data.lanes.length || position.y < laneTop(0)) return null;
    return describeLane(index, cycle, layer);
  }

  function describeLayer(layer, cycle) {
    const launch = layer.launches.filter(([start]) => start <= cycle).pop();
    const lines = [element("b", layer.label),
      element("div", `${count(layer.end - layer.start)} cycles · ${time(layer.end - layer.start)} · ${layer.detail}`)];
    if (layer.launches.length > 1)
      lines.push(element("div", `one of ${layer.launches.length} launches here: ${launch[1]}`, "soft"));
    return { lines };
  }

  function describeLane(index, cycle, layer) {
    const lane = data.lanes[index], where = layer ? " · " + layer.label : "";
    const perPixel = (view.to - view.from) / plot, i = find(lane.edges, cycle);
    const start = lane.edges[i], end = lane.edges[i + 1];
    if (end - start < perPixel * 1.5) return describeMany(index, cycle - perPixel, cycle + perPixel, where);
    const [state, text, place, merged] = data.kinds[lane.kinds[i]], name = data.states[state];
    const title = state === 0 ? data.texts[text] : `${lane.name}: ${name.name}`;
    const lines = [element("b", title)];
    if (state !== 0) lines.push(element("div", name.doc));
    if (merged > 1) lines.push(element("div", `${count(merged)} intervals drawn as one`));
    lines.push(element("div", `${count(start)} – ${count(end)} · ${count(end - start)} cycles · ${time(end - start)}`));
    lines.push(element("div", (data.places[place] || lane.name) + where, "soft"));
    return { lane: index, start, end, lines };
  }

  function describeMany(index, from, to, where) {
    const lane = data.lanes[index], sums = columns(lane, Math.max(0, from), Math.min(total, to), 1);
    const parts = data.states.map((state, s) => [state.name, sums[s]]).filter(part => part[1] > 0.005)
      .sort((a, b) => b[1] - a[1]);
    const lines = [element("b", lane.name + where)];
    for (const [name, share] of parts) lines.push(element("div", `${name} ${percent(share)}`));
    lines.push(element("div", `about cycle ${count(from)}; zoom in for single instructions`, "soft"));
    return { lines };
  }

  function point(event) {
    hover = describe({ x: event.offsetX, y: event.offsetY });
    tip.style.display = hover ? "block" : "none";
    if (hover) {
      tip.replaceChildren(...hover.lines);
      const left = canvas.offsetLeft + event.offsetX + 16;
      const room = tip.parentElement.clientWidth - tip.offsetWidth - 6;
      tip.style.left = (left > room ? Math.max(4, left - tip.offsetWidth - 32) : left) + "px";
      tip.style.top = canvas.offsetTop + event.offsetY + 18 + "px";
    }
    redraw();
  }

  let drag = null;
  canvas.addEventListener("pointerdown", event => {
    drag = { x: event.offsetX, from: view.from, to: view.to, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", event => {
    if (!drag) { point(event); return; }
    const moved = (drag.x - event.offsetX) / plot * (drag.to - drag.from);
    if (Math.abs(drag.x - event.offsetX) > 3) drag.moved = true;
    if (!drag.moved) return;
    canvas.classList.add("dragging");
    tip.style.display = "none";
    show(drag.from + moved, drag.to + moved);
  });
  canvas.addEventListener("pointerup", event => {
    const click = drag && !drag.moved;
    drag = null;
    canvas.classList.remove("dragging");
    if (click && event.offsetY >= AXIS && event.offsetY < AXIS + BAND) {
      const cycle = toCycle(event.offsetX);
      const index = data.layers.findIndex(layer => cycle >= layer.start && cycle < layer.end);
      if (index >= 0) showLayer(index);
    }
  });
  canvas.addEventListener("pointercancel", () => { drag = null; });
  canvas.addEventListener("pointerleave", () => { hover = null; tip.style.display = "none"; redraw(); });
  canvas.addEventListener("dblclick", event => zoom(0.25, toCycle(event.offsetX)));
  canvas.addEventListener("wheel", event => {
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan(event.deltaX / plot);
    else if (event.deltaY > 0 && view.to - view.from >= total) return;  // let the page scroll
    else zoom(Math.exp(event.deltaY * (event.deltaMode ? 0.05 : 0.0018)), toCycle(Math.max(GUTTER, event.offsetX)));
    event.preventDefault();
    point(event);
  }, { passive: false });

  function overviewTo(event) {
    const share = (event.offsetX - GUTTER) / (overview.clientWidth - GUTTER), half = (view.to - view.from) / 2;
    show(share * total - half, share * total + half);
  }
  overview.addEventListener("pointerdown", event => { overview.setPointerCapture(event.pointerId); overviewTo(event); });
  overview.addEventListener("pointermove", event => { if (event.buttons) overviewTo(event); });

  const actions = { in: () => zoom(0.5), out: () => zoom(2), fit, left: () => pan(-0.25), right: () => pan(0.25),
    previous: () => step(-1), next: () => step(1) };
  for (const button of document.querySelectorAll("[data-action]"))
    button.addEventListener("click", () => actions[button.dataset.action]());
  const keys = { "+": "in", "=": "in", "-": "out", "0": "fit", Home: "fit", ArrowLeft: "left", ArrowRight: "right",
    ArrowUp: "in", ArrowDown: "out", "[": "previous", "]": "next" };
  canvas.addEventListener("keydown", event => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    actions[keys[event.key]]();
    event.preventDefault();
  });
  for (const button of document.querySelectorAll("[data-layer]"))
    button.addEventListener("click", () => {
      showLayer(Number(button.dataset.layer));
      document.getElementById("units-over-time").scrollIntoView({ behavior: "smooth" });
    });

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); redraw(); });
  new ResizeObserver(redraw).observe(canvas);
  readColours();
  const asked = /^#cycles=(\d+)-(\d+)$/.exec(location.hash);
  if (asked) show(Number(asked[1]), Number(asked[2])); else draw();
})();
