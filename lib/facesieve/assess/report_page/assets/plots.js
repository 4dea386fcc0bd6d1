// Plots by Vega-Lite, interpreted without eval. Each comes with its text and its table, and speaks without colour too.
"use strict";

(function (page) {
  const { el, text } = page;
  const LIBRARIES = ["vega.min.js", "vega-lite.min.js", "vega-interpreter.min.js"];
  const NUMBER = /^[–+−±\d][\d.,\s%]*$/;
  const drawn = new Set();
  let libraries = null;

  /** Loads the plot libraries when the first plot is shown: the page opens without them. */
  function ready() {
    libraries ??= LIBRARIES.reduce((before, name) => before.then(() => library(name)), Promise.resolve());
    return libraries;
  }

  function library(name) {
    return new Promise((resolve, reject) => {
      const failed = () => reject(new Error(text("missing", { name })));
      document.head.append(el("script", { src: `assets/${name}`, onload: resolve, onerror: failed }));
    });
  }

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function config() {
    const ink = colour("--ink");
    const soft = colour("--ink-soft");
    const lines = {
      domainColor: soft,
      tickColor: soft,
      gridColor: colour("--line"),
      labelColor: soft,
      titleColor: ink,
    };
    const font = getComputedStyle(document.body).fontFamily;
    return {
      background: "transparent",
      font,
      view: { stroke: null },
      axis: { ...lines, labelFontSize: 12, titleFontSize: 12, titleFontWeight: 500, gridOpacity: 0.7 },
      legend: {
        labelColor: ink,
        titleColor: ink,
        labelFontSize: 12,
        orient: "top",
        symbolSize: 220,
        symbolStrokeWidth: 2.5,
      },
      text: { color: ink, fontSize: 12 },
    };
  }

  async function draw(place, specOf) {
    await ready();
    if (!place.isConnected) return;
    const spec = {
      width: "container",
      autosize: { type: "fit", contains: "padding" },
      config: config(),
      ...specOf(colour),
    };
    const compiled = globalThis.vegaLite.compile(spec).spec;
    const options = { renderer: "svg", container: place, expr: globalThis.vega.expressionInterpreter, hover: false };
    await new globalThis.vega.View(globalThis.vega.parse(compiled, null, { ast: true }), options).runAsync();
    place.querySelectorAll("svg").forEach((svg) => svg.setAttribute("aria-hidden", "true"));
  }

  function redraw() {
    for (const plot of drawn) {
      if (!plot.place.isConnected) drawn.delete(plot);
      else show(plot);
    }
  }

  function show(plot) {
    draw(plot.place, plot.specOf).catch((problem) => plot.place.replaceChildren(el("p", null, problem.message)));
  }

  const isNumber = (cell) => typeof cell === "string" && NUMBER.test(cell);

  /** A table; columns of numbers stand at the right. The caption is for those who listen: a heading stands above. */
  function table(columns, rows, caption) {
    const right = columns.map((_, at) => rows.length > 0 && at > 0 && rows.every((row) => isNumber(row[at])));
    const line = (tag, row) =>
      el(
        "tr",
        null,
        row.map((cell, at) => el(tag, { class: right[at] ? "n" : null }, cell)),
      );
    const body = el(
      "tbody",
      null,
      rows.map((row) => line("td", row)),
    );
    const whole = el(
      "table",
      null,
      el("caption", { class: "hidden" }, caption),
      el("thead", null, line("th", columns)),
      body,
    );
    return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, whole);
  }

  /** A plot: specOf makes its Vega-Lite spec, `says` is its text, `columns` and `rows` its table. */
  function plot({ title, specOf, says, columns, rows, legend }) {
    const place = el("div", { class: "plot", role: "img", "aria-label": `${title}. ${says}` });
    const numbers = el("details", null, el("summary", null, text("plot.numbers")), table(columns, rows, title));
    const whole = el(
      "figure",
      { class: "plotted" },
      el("h2", null, title),
      legend || "",
      place,
      el("figcaption", null, says),
      numbers,
    );
    const entry = { place, specOf };
    drawn.add(entry);
    requestAnimationFrame(() => show(entry));
    return whole;
  }

  page.plots = { plot, redraw, table };
})(facesieve);
