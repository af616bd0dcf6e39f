"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const make = (tag, text) => { const it = document.createElement(tag); if (text !== undefined) it.textContent = text; return it; };
const NEAR = 1.5, MOST = 60;

function table(caption, rows, began) {
  const it = make("table");
  it.append(make("caption", `${caption}: ${rows.length}${rows.length > MOST ? `, the nearest ${MOST} shown` : ""}`));
  for (const row of rows.slice(0, MOST)) {
    const line = it.insertRow();
    line.insertCell().textContent = `${(row[0] - began).toFixed(2)} s`;
    for (const value of row.slice(1)) line.insertCell().textContent = value;
  }
  return it;
}

for (const box of document.querySelectorAll(".timeline")) {
  const began = Number(box.dataset.began), ended = Number(box.dataset.ended);
  const scroller = box.querySelector(".scroller"), svg = scroller.querySelector("svg"), moment = box.nextElementSibling;
  const marks = [...svg.querySelectorAll(".mark")].sort((a, b) => a.dataset.at - b.dataset.at);
  let zoom = 1, current = -1;

  const setZoom = factor => {
    const middle = (scroller.scrollLeft + scroller.clientWidth / 2) / svg.clientWidth;
    zoom = Math.min(64, Math.max(1, zoom * factor));
    svg.setAttribute("width", `${100 * zoom}%`);
    scroller.scrollLeft = middle * svg.clientWidth - scroller.clientWidth / 2;
  };
  const choose = index => {
    marks[current]?.classList.remove("here");
    current = Math.min(marks.length - 1, Math.max(0, index));
    const mark = marks[current];
    mark.classList.add("here");
    const x = (mark.dataset.at - began) / Math.max(ended - began, 1e-6) * svg.clientWidth;
    if (x < scroller.scrollLeft || x > scroller.scrollLeft + scroller.clientWidth) scroller.scrollLeft = x - scroller.clientWidth / 2;
    moment.replaceChildren(make("p", mark.querySelector("title").textContent));
  };
  const look = () => {
    const at = Number(marks[current].dataset.at);
    const near = rows => rows.filter(row => Math.abs(row[0] - at) <= NEAR).sort((a, b) => Math.abs(a[0] - at) - Math.abs(b[0] - at));
    const wide = make("div");
    wide.className = "wide";
    wide.append(table(`operations within ${NEAR} AWS s`, near(data.operations), began), table(`AWS calls within ${NEAR} AWS s`, near(data.calls), began));
    moment.append(wide);
  };

  svg.addEventListener("click", event => {
    const mark = event.target.closest(".mark");
    if (mark) { choose(marks.indexOf(mark)); look(); }
  });
  scroller.addEventListener("keydown", event => {
    const keys = { ArrowRight: () => choose(current + 1), ArrowLeft: () => choose(current - 1), Enter: () => { if (current >= 0) { choose(current); look(); } }, "+": () => setZoom(2), "-": () => setZoom(0.5) };
    if (marks.length && keys[event.key]) { keys[event.key](); event.preventDefault(); }
  });
  const buttons = make("div");
  buttons.className = "zoom";
  for (const [text, label, factor] of [["+", "zoom in", 2], ["−", "zoom out", 0.5], ["1:1", "whole timeline", 0]]) {
    const button = make("button", text);
    button.type = "button";
    button.setAttribute("aria-label", label);
    button.addEventListener("click", () => setZoom(factor || 1 / zoom));
    buttons.append(button);
  }
  box.before(buttons);
}
