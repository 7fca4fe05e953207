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
  let colour = {}, hover = null, pending = false;

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

  function readColours() {
    const style = getComputedStyle(document.documentElement);
    const get = name => style.getPropertyValue(name).trim();
    colour = { ink: get("--ink"), soft: get("--soft"), faint: get("--faint"), line: get("--line"),
      hair: get("--hair"), card: get("--card"), accent: get("--accent"),
      states: data.states.map((_, i) => get("--state-" + i)) };
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

  // Draws the columns as stacks: working at the bottom, then the reasons for waiting.
  function drawColumns(context, sums, x0, y, width, height) {
    for (let state = 0; state < STATES; state++) {
      context.fillStyle = colour.states[state];
      let start = 0, top = 0, bottom = 0;
      for (let x = 0; x <= width; x++) {
        let below = 0, share = 0;
        if (x < width) {
          for (let s = 0; s < state; s++) below += sums[x * STATES + s];
          share = sums[x * STATES + state];
        }
        const newBottom = y + height * (1 - below), newTop = newBottom - height * share;
        if (x < width && Math.abs(newTop - top) < 0.25 && Math.abs(newBottom - bottom) < 0.25) continue;
        if (bottom - top > 0.05) context.fillRect(x0 + start, top, x - start, bottom - top);
        start = x; top = newTop; bottom = newBottom;
      }
    }
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
  const plotWidth = () => Math.max(50, Math.floor(canvas.clientWidth - GUTTER));
  const toPixel = cycle => GUTTER + (cycle - view.from) / (view.to - view.from) * plotWidth();
  const toCycle = pixel => view.from + (pixel - GUTTER) / plotWidth() * (view.to - view.from);

  function drawAxis(context, width) {
    const span = view.to - view.from, rough = span / Math.max(2, plotWidth() / 110);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = Math.max(1, [1, 2, 5, 10].find(m => m * power >= rough) * power);
    context.textAlign = "center";
    for (let tick = Math.ceil(view.from / step) * step; tick <= view.to; tick += step) {
      const x = toPixel(tick);
      context.fillStyle = colour.hair;
      context.fillRect(Math.round(x), AXIS - 4, 1, HEIGHT - AXIS);
      if (x < GUTTER + 24 || x > width - 24) continue;
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

  function drawLayers(context) {
    context.fillStyle = colour.faint;
    context.fillText("layers", 0, AXIS + BAND / 2);
    data.layers.forEach((layer, index) => {
      const a = Math.max(GUTTER, toPixel(layer.start));
      const b = Math.min(GUTTER + plotWidth(), toPixel(layer.end));
      if (b <= GUTTER || a >= GUTTER + plotWidth()) return;
      context.fillStyle = colour.line;
      context.globalAlpha = index % 2 ? 0.95 : 0.55;
      context.fillRect(a, AXIS, Math.max(0.5, b - a - 0.5), BAND);
      context.globalAlpha = 1;
      if (b - a > 22) {
        context.fillStyle = colour.ink;
        context.fillText(fitted(context, layer.label, b - a - 10), a + 5, AXIS + BAND / 2);
      }
    });
  }

  function drawBlocks(context, lane, y) {
    const scale = plotWidth() / (view.to - view.from);
    let i = find(lane.edges, view.from);
    for (; i < lane.kinds.length && lane.edges[i] < view.to; i++) {
      const a = toPixel(lane.edges[i]), wide = (lane.edges[i + 1] - lane.edges[i]) * scale;
      if (wide < 3 || lane.state[i] !== 0) continue;
      context.fillStyle = colour.card;
      if (a > GUTTER) context.fillRect(a - 0.5, y, 1, LANE);
      const left = Math.max(a, GUTTER), right = Math.min(a + wide, GUTTER + plotWidth());
      if (right - left < 34) continue;
      const text = data.texts[data.kinds[lane.kinds[i]][1]] || "";
      const shown = fitted(context, text, right - left - 12);
      context.fillText(shown || fitted(context, text.split(" ")[0], right - left - 8), left + 6, y + LANE / 2 + 0.5);
    }
  }

  function draw() {
    pending = false;
    const [context, width] = prepare(canvas, HEIGHT);
    const plot = plotWidth();
    drawAxis(context, width);
    drawLayers(context);
    data.lanes.forEach((lane, index) => {
      const y = laneTop(index), sums = columns(lane, view.from, view.to, plot);
      let busy = 0;
      for (let x = 0; x < plot; x++) busy += sums[x * STATES];
      drawColumns(context, sums, GUTTER, y, plot, LANE);
      drawBlocks(context, lane, y);
      context.fillStyle = colour.ink;
      context.fillText(lane.name, 0, y + LANE / 2 - 7);
      context.fillStyle = colour.soft;
      context.fillText(percent(busy / plot), 0, y + LANE / 2 + 8);
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
    const [context, width] = prepare(overview, OVERVIEW);
    const plot = Math.floor(width - GUTTER), lane = data.lanes[data.overview];
    context.fillStyle = colour.faint;
    context.fillText("whole run", 0, OVERVIEW / 2);
    drawColumns(context, columns(lane, 0, total, plot), GUTTER, 3, plot, OVERVIEW - 6);
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
    show(layer.start - margin, layer.end + margin);
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
    if (position.y >= AXIS && position.y < AXIS + BAND) return layer ? { lines: [
      element("b", layer.label),
      element("div", `${count(layer.end - layer.start)} cycles · ${time(layer.end - layer.start)}`),
      element("div", layer.detail, "soft")] } : null;
    const index = Math.floor((position.y - laneTop(0)) / (LANE + GAP));
    if (index < 0 || index >= data.lanes.length || position.y < laneTop(0)) return null;
    return describeLane(index, cycle, layer);
  }

  function describeLane(index, cycle, layer) {
    const lane = data.lanes[index], where = layer ? " · " + layer.label : "";
    const perPixel = (view.to - view.from) / plotWidth(), i = find(lane.edges, cycle);
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
    const moved = (drag.x - event.offsetX) / plotWidth() * (drag.to - drag.from);
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
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan(event.deltaX / plotWidth());
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
