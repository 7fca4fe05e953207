// Runs timeline.js without a browser: a page just real enough, then gestures from the command
// line.  Prints what a viewer would see as JSON: the range shown, and the tooltip's lines.
"use strict";
const fs = require("fs");
const [script, dataFile, gestures] = process.argv.slice(2);
const drawn = { texts: [], images: 0 };

function context() {
  return new Proxy({}, {
    get: (target, name) => name === "measureText" ? text => ({ width: 6 * text.length })
      : name === "createImageData" ? (w, h) => ({ data: new Uint8ClampedArray(w * h * 4) })
      : name === "fillText" ? text => drawn.texts.push(text)
      : name === "putImageData" ? () => { drawn.images++; }
      : name in target ? target[name] : () => {},
    set: (target, name, value) => { target[name] = value; return true; },
  });
}

function node(name) {
  const handlers = {};
  return { name, handlers, style: {}, dataset: {}, clientWidth: 1104, width: 0, height: 0, offsetWidth: 200,
    offsetLeft: 0, offsetTop: 0, children: [], classList: { add() {}, remove() {} },
    get parentElement() { return this; },
    addEventListener(kind, run) { handlers[kind] = run; }, getContext: context, setPointerCapture() {},
    replaceChildren(...children) { this.children = children; }, scrollIntoView() {} };
}

const nodes = {};
globalThis.document = {
  getElementById: id => nodes[id] ??= node(id), createElement: node, documentElement: node("html"),
  body: node("body"), querySelectorAll: () => [],
};
globalThis.window = globalThis;
globalThis.location = { hash: "" };
globalThis.devicePixelRatio = 1;
globalThis.getComputedStyle = () => ({ getPropertyValue: () => "#102030", fontFamily: "sans" });
globalThis.matchMedia = () => ({ addEventListener() {} });
globalThis.ResizeObserver = class { observe() {} };
globalThis.requestAnimationFrame = run => { run(); };
document.getElementById("timeline-data").textContent = fs.readFileSync(dataFile, "utf8");
new Function(fs.readFileSync(script, "utf8"))();

const seen = [];
for (const [kind, event] of JSON.parse(gestures)) {
  drawn.texts = [];
  nodes.timeline.handlers[kind]({ preventDefault() {}, pointerId: 1, ...event });
  seen.push({ range: nodes.range.textContent, tip: nodes.tip.children.map(child => child.textContent),
    texts: drawn.texts });
}
console.log(JSON.stringify({ seen, images: drawn.images }));
