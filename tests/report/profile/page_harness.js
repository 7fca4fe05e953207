// Runs profile.js on a small stand-in for a document, and prints what it drew as JSON.
//
// node page_harness.js SCRIPT DATA: clicks the first hot line, then chooses the last core and the
// second view.
"use strict";
const fs = require("fs");
const [script, data] = process.argv.slice(2);
const ids = {};

class Element {
  constructor(tag) {
    this.tag = tag; this.children = []; this.attributes = {}; this.listeners = {}; this.dataset = {};
    this.classList = { add() {}, remove() {} };
  }
  setAttribute(name, value) {
    this.attributes[name] = String(value);
    if (name === "id") ids[value] = this;
  }
  append(...parts) { this.children.push(...parts); }
  replaceChildren(...parts) { this.children = parts; }
  addEventListener(name, what) { this.listeners[name] = what; }
  scrollIntoView() {}
  get textContent() {
    return this.own ?? this.children.map(c => typeof c === "string" ? c : c.textContent).join(" ");
  }
  set textContent(text) { this.own = text; }
}

for (const id of ["core", "view", "whole", "kinds", "hot", "files", "source", "memory", "profile-data"]) {
  ids[id] = new Element("div");
}
ids["profile-data"].textContent = fs.readFileSync(data, "utf8");
global.document = {
  getElementById: id => ids[id],
  createElement: tag => new Element(tag),
  createElementNS: (_, tag) => new Element(tag),
  querySelectorAll: () => [],
};
global.setTimeout = () => {};
eval(fs.readFileSync(script, "utf8"));

const rows = id => ids[id].children.map(row => row.children.map(cell => cell.textContent.trim()));
const drawn = { hot: rows("hot"), source: rows("source"), memory: ids.memory.textContent,
  cores: ids.core.children.map(option => option.textContent) };
ids.hot.children[0].listeners.click();
drawn.opened = rows("source");
ids.core.value = String(ids.core.children.length - 1);
ids.core.listeners.change();
ids.view.value = "1";
ids.view.listeners.change();
drawn.scalar = rows("hot");
process.stdout.write(JSON.stringify(drawn));
