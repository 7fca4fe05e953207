// The page of a profile: lines with what they are charged, their instructions, memories over time.
//
// Everything comes from the JSON in #profile-data.  A core's view is a flat list of line, kind,
// cycles; kinds are colours --k0, --k1, … of the page.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("profile-data").textContent);
  const get = id => document.getElementById(id);
  const grouped = new Intl.NumberFormat("en-US");
  const count = value => grouped.format(Math.round(value));
  const percent = share => share > 0 && share < 0.0005 ? "<0.1 %" : (share * 100).toFixed(1) + " %";
  const state = { core: 0, view: 0, file: 0, open: new Set() };
  let table = null;

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "onclick") element.addEventListener("click", value);
      else if (value !== null) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  function bytes(value) {
    for (const [size, prefix] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]])
      if (value >= size) return (value / size).toPrecision(3) + " " + prefix + "B";
    return value + " B";
  }

  // Sizes of memories are powers of two.
  function kibibytes(value) {
    return value >= 1024 ? grouped.format(+(value / 1024).toPrecision(3)) + " KiB" : Math.round(value) + " B";
  }

  // What a view of a core says: by line the cycles of each kind, and sums.
  function read(core, view) {
    const flat = core.views[view], lines = new Map(), kinds = new Map();
    let total = 0;
    for (let i = 0; i < flat.length; i += 3) {
      const [line, kind, cycles] = flat.slice(i, i + 3);
      if (!lines.has(line)) lines.set(line, { line, sum: 0, kinds: [] });
      const entry = lines.get(line);
      entry.sum += cycles;
      entry.kinds.push([kind, cycles]);
      kinds.set(kind, (kinds.get(kind) || 0) + cycles);
      total += cycles;
    }
    const pairs = list => {
      const found = new Map();
      for (let i = 0; i < list.length; i += 2) found.set(list[i], list[i + 1]);
      return found;
    };
    return { lines, kinds, total: total || 1, executed: pairs(core.executed), cores: core.cores };
  }

  function stack(kinds, whole, label) {
    const bar = make("div", { class: "stack", title: label || null });
    for (const [kind, cycles] of [...kinds].sort((a, b) => a[0] - b[0])) {
      const share = cycles / whole;
      bar.append(make("i", {
        style: `width:${(share * 100).toFixed(3)}%;background:var(--k${kind})`,
        title: `${data.kinds[kind].name}: ${count(cycles / table.cores)} cycles`,
      }));
    }
    return bar;
  }

  function mix(entry) {
    const largest = [...entry.kinds].sort((a, b) => b[1] - a[1]).slice(0, 2);
    if (largest[0][1] >= 0.9 * entry.sum) largest.length = 1;
    return largest.map(([k, c]) => `${data.kinds[k].name} ${(c / entry.sum * 100).toFixed(0)} %`).join(", ");
  }

  function text(line) {
    const [file, number] = data.lines[line];
    return file < 0 ? "" : (data.files[file].text[Array.isArray(data.files[file].text) ? number - 1 : number] || "");
  }

  function drawWhole() {
    const whole = get("whole"), legend = get("kinds");
    whole.replaceChildren(stack(table.kinds, table.total));
    legend.replaceChildren(...[...table.kinds].sort((a, b) => b[1] - a[1]).map(([kind, cycles]) =>
      make("li", { title: data.kinds[kind].doc },
        make("i", { style: `background:var(--k${kind})` }), data.kinds[kind].name + " ",
        make("span", { class: "n" }, percent(cycles / table.total)))));
  }

  function drawHot() {
    const order = [...table.lines.values()].sort((a, b) => b.sum - a.sum).slice(0, 12)
      .filter(entry => entry.sum / table.total >= 0.002);
    get("hot").replaceChildren(...order.map(entry =>
      make("tr", { onclick: () => show(entry.line) },
        make("td", {}, data.lines[entry.line][2]),
        make("td", { class: "n" }, percent(entry.sum / table.total)),
        make("td", { class: "n" }, count(entry.sum / table.cores)),
        make("td", {}, mix(entry)),
        make("td", {}, text(entry.line).trim()))));
  }

  function drawFiles() {
    const sums = data.files.map(() => 0);
    let other = 0;
    for (const entry of table.lines.values()) {
      const file = data.lines[entry.line][0];
      if (file < 0) other += entry.sum; else sums[file] += entry.sum;
    }
    const buttons = data.files.map((file, i) => [i, file.name, sums[i]]).sort((a, b) => b[2] - a[2]);
    if (other) buttons.push([-1, "outside of the source", other]);
    get("files").replaceChildren(...buttons.map(([file, name, sum]) =>
      make("button", { type: "button", class: file === state.file ? "on" : null,
        onclick: () => { state.file = file; draw(); } }, `${name} ${percent(sum / table.total)}`)));
  }

  // The rows of a file: every line of its text, or only lines that are charged.
  function numbersOf(file, byNumber) {
    const lines = file < 0 ? [] : data.files[file].text;
    const known = Array.isArray(lines) ? lines.map((_, i) => i + 1) : Object.keys(lines).map(Number);
    const all = new Set([...known, ...byNumber.keys()]);
    return [...all].sort((a, b) => a - b);
  }

  function drawSource() {
    const byNumber = new Map();
    data.lines.forEach(([file, number], line) => {
      if (file === state.file) byNumber.set(file < 0 ? line : number, line);
    });
    const longest = Math.max(1, ...[...byNumber.values()].map(l => table.lines.get(l)?.sum || 0));
    const rows = [];
    let last = null;
    for (const number of numbersOf(state.file, byNumber)) {
      const line = byNumber.get(number);
      if (state.file >= 0 && last !== null && number > last + 1)
        rows.push(make("tr", { class: "gap" }, make("td", { colspan: 7 }, "…")));
      last = number;
      if (state.file < 0 && !table.lines.has(line)) continue;
      rows.push(...sourceRows(number, line, longest));
    }
    get("source").replaceChildren(...rows);
  }

  function sourceRows(number, line, longest) {
    const entry = table.lines.get(line), words = data.words[line] || [];
    const source = state.file < 0 ? data.lines[line][2]
      : Array.isArray(data.files[state.file].text) ? data.files[state.file].text[number - 1]
      : data.files[state.file].text[number];
    const heat = entry ? Math.min(entry.sum / table.total * 60, 26) : 0;
    const row = make("tr", {
      id: line === undefined ? null : `line-${line}`,
      class: [words.length ? "has" : "", heat > 1 ? "warm" : ""].join(" ").trim() || null,
      style: heat > 1 ? `--heat:${heat.toFixed(1)}` : null,
      onclick: () => { if (words.length) toggle(line); },
    },
      make("td", { class: "n number" }, state.file < 0 ? "" : String(number)),
      make("td", { class: "n" }, entry ? percent(entry.sum / table.total) : ""),
      make("td", { class: "n" }, entry ? count(entry.sum / table.cores) : ""),
      make("td", { class: "bar" }, entry ? stack(entry.kinds, longest) : ""),
      make("td", { class: "n" }, cell(table.executed.get(line), count)),
      make("td", { class: "n" }, cell(moved.get(line), bytes)),
      make("td", { title: entry ? mix(entry) : null }, source ?? ""));
    return state.open.has(line) ? [row, ...words.map(word => wordRow(word, longest))] : [row];
  }

  const cell = (value, show) => value ? show(value) : "";

  function wordRow([place, text, executed, ...spent], longest) {
    const kinds = [];
    let sum = 0;
    for (let i = 0; i < spent.length; i += 2) { kinds.push([spent[i], spent[i + 1]]); sum += spent[i + 1]; }
    return make("tr", { class: "word" },
      make("td", { class: "n number" }, place.slice(place.lastIndexOf("+"))),
      make("td", { class: "n" }, ""),
      make("td", { class: "n" }, sum ? count(sum / data.cores[0].cores) : ""),
      make("td", { class: "bar" }, stack(kinds, longest * data.cores[0].cores / table.cores)),
      make("td", { class: "n" }, count(executed)),
      make("td", {}, ""),
      make("td", {}, text));
  }

  function toggle(line) {
    if (!state.open.delete(line)) state.open.add(line);
    drawSource();
  }

  function show(line) {
    state.file = data.lines[line][0];
    if (data.words[line]) state.open.add(line);
    draw();
    const row = get(`line-${line}`);
    if (!row) return;
    row.classList.add("mark");
    row.scrollIntoView({ block: "center" });
    setTimeout(() => row.classList.remove("mark"), 2500);
  }

  // -- memories

  const HOLDERS = ["#2f5d8c", "#c46a1b", "#3a7d44", "#8c3f5d", "#8a7a1f", "#5b4a9c", "#2c7f7a", "#a0522d",
    "#6a6f76", "#b9b9b3"];
  const SVG = "http://www.w3.org/2000/svg";

  function shape(tag, attributes, text) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text) element.textContent = text;
    return element;
  }

  function drawMemory() {
    const core = data.cores[state.core];
    let place = core.place, note = "";
    if (place === undefined) {
      const most = data.memories.filter(m => m.memory === "NRAM").sort((a, b) => b.peak[1] - a.peak[1])[0];
      const shown = data.cores.find(c => c.place === (most || {}).place) || data.cores[1];
      place = shown.place;
      note = `of ${shown.name}, whose NRAM gets fullest`;
    }
    const name = data.cores.find(c => c.place === place).name;
    const cluster = Number(name.match(/\d+/)[0]);
    const found = data.memories.filter(m => m.place === place || m.cluster === cluster);
    get("memory").replaceChildren(...found.map(memory => drawOne(memory, note)),
      ...(found.length ? [] : [make("p", { class: "lead" }, "No vector, matrix or transfer instruction uses one.")]));
  }

  function drawOne(memory, note) {
    const W = 700, H = 210, LEFT = 56, BOTTOM = 22, TOP = 10;
    const top = Math.max(memory.peak[1] * 1.15, 128);
    const columns = memory.held[0].length;
    const x = i => LEFT + i / columns * (W - LEFT - 4);
    const y = value => H - BOTTOM - value / top * (H - TOP - BOTTOM);
    const svg = shape("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": memory.memory });
    const base = new Array(columns).fill(0);
    memory.held.forEach((row, index) => {
      let path = "";
      for (let i = 0; i < columns; i++) {
        const from = base[i], to = from + row[i] * 128;
        base[i] = to;
        if (to > from) path += `M${x(i).toFixed(1)} ${y(from).toFixed(1)}V${y(to).toFixed(1)}H${x(i + 1).toFixed(1)}V${y(from).toFixed(1)}z`;
      }
      const area = shape("path", { d: path, fill: HOLDERS[index] });
      area.append(shape("title", {}, holder(memory.names[index])));
      svg.append(area);
    });
    for (let i = 0; i <= 4; i++) {
      const value = top * i / 4;
      svg.append(shape("line", { class: "axis", x1: LEFT, x2: W - 4, y1: y(value), y2: y(value), "stroke-opacity": i ? .5 : 1 }));
      svg.append(shape("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, kibibytes(value)));
      const cycle = data.total * i / 4, anchor = i === 0 ? "start" : i === 4 ? "end" : "middle";
      svg.append(shape("text", { x: x(columns * i / 4), y: H - 6, "text-anchor": anchor }, count(cycle) + (i === 4 ? " cycles" : "")));
    }
    if (memory.size <= top) svg.append(shape("line", { class: "limit", x1: LEFT, x2: W - 4, y1: y(memory.size), y2: y(memory.size) }));
    const at = LEFT + memory.peak[0] / Math.max(data.total, 1) * (W - LEFT - 4);
    svg.append(shape("line", { class: "peak", x1: at, x2: at, y1: TOP, y2: H - BOTTOM }));
    const rows = memory.parts.slice(0, 12).map(([owner, size]) => {
      const index = memory.names.indexOf(owner);
      return make("tr", {},
        make("td", {}, make("i", { style: `background:${HOLDERS[index < 0 ? memory.names.length - 1 : index]}` }), holder(owner)),
        make("td", { class: "n" }, kibibytes(size)),
        make("td", { class: "n" }, percent(size / memory.size)));
    });
    return make("div", { class: "memory" },
      make("div", {}, make("h3", {}, memory.memory + " ", make("small", {}, note)), svg),
      make("div", {}, make("h3", {}, `Peak ${kibibytes(memory.peak[1])} `,
        make("small", {}, `${percent(memory.peak[1] / memory.size)} of ${kibibytes(memory.size)}, at cycle ${count(memory.peak[0])}`)),
        make("table", {}, make("thead", {}, make("tr", {}, make("th", {}, "what my peak is made of"),
          make("th", { class: "n" }, "bytes"), make("th", { class: "n" }, "of the memory"))),
          make("tbody", {}, ...rows))));
  }

  function holder(number) {
    if (number < 0) return "others";
    const [name, where] = data.holders[number];
    return name.includes(where) || !where ? name : `${name} (${where})`;
  }

  // -- all of it

  const moved = new Map();
  for (let i = 0; i < data.moved.length; i += 2) moved.set(data.moved[i], data.moved[i + 1]);

  function draw() {
    table = read(data.cores[state.core], state.view);
    drawWhole();
    drawHot();
    drawFiles();
    drawSource();
  }

  function choices(select, names, change) {
    select.replaceChildren(...names.map((name, i) => make("option", { value: i }, name)));
    select.addEventListener("change", () => { change(Number(select.value)); draw(); drawMemory(); });
  }
  choices(get("core"), data.cores.map(core => core.name), value => { state.core = value; });
  choices(get("view"), data.views.map(view => view.name), value => { state.view = value; });
  for (const button of document.querySelectorAll("[data-line]"))
    button.addEventListener("click", () => show(Number(button.dataset.line)));
  table = read(data.cores[0], 0);
  const hottest = [...table.lines.values()].filter(e => data.lines[e.line][0] >= 0).sort((a, b) => b.sum - a.sum)[0];
  state.file = hottest ? data.lines[hottest.line][0] : -1;
  draw();
  drawMemory();
})();
