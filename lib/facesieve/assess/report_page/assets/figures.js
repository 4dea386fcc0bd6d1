// The plots of the report: scores, confidence, sizes, and members over time.
"use strict";

(function (page) {
  const { el, text, number } = page;
  const { plot } = page.plots;

  const total = (bins, kind) => bins.reduce((sum, bin) => sum + bin[kind], 0);

  function curve(bins, kind, name) {
    const all = total(bins, kind) || 1;
    const points = bins.map((bin) => ({ x: bin.low, share: bin[kind] / all, kind: name }));
    const last = bins.at(-1);
    return last ? [...points, { x: last.high, share: last[kind] / all, kind: name }] : [];
  }

  /** A share that may be tiny: what is not nothing is never shown as 0 %. */
  function smallShare(share) {
    return share > 0 && share < 0.0001 ? `< ${page.percent(0.0001, 2)}` : page.percent(share, 2);
  }

  function shareAbove(bins, kind, line) {
    const all = total(bins, kind);
    const above = bins.filter((bin) => bin.low >= line - 1e-9);
    return all ? total(above, kind) / all : null;
  }

  function ruleMarks(lines) {
    const sorted = lines
      .filter((line) => line.x !== null && line.x !== undefined)
      .sort((one, other) => one.x - other.x);
    return sorted.map((line, at) => ({ ...line, side: at === 0 && sorted.length > 1 ? "right" : "left" }));
  }

  function ruleLayers(lines, ink) {
    return ruleMarks(lines).flatMap((line) => [
      {
        data: { values: [line] },
        mark: { type: "rule", color: ink, strokeWidth: 1.5, strokeDash: line.dash },
        encoding: { x: { field: "x", type: "quantitative" } },
      },
      {
        data: { values: [line] },
        mark: { type: "text", color: ink, align: line.side, dx: line.side === "left" ? 5 : -5, baseline: "top", y: 2 },
        encoding: { x: { field: "x", type: "quantitative" }, text: { field: "words" } },
      },
    ]);
  }

  function legend(kinds) {
    return el(
      "ul",
      { class: "legend", "aria-hidden": "true" },
      kinds.map((kind) => el("li", { class: kind }, el("i"), text(`plot.${kind}`))),
    );
  }

  /** Genuine scores by a whole line, impostor scores by a broken line: readable without colour. */
  function scoreLayers(histogram, colourOf) {
    const names = [text("plot.genuine"), text("plot.impostor")];
    const values = [...curve(histogram.bins, "genuine", names[0]), ...curve(histogram.bins, "impostor", names[1])];
    const scale = (range) => ({ field: "kind", type: "nominal", legend: null, scale: { domain: names, range } });
    const colours = scale([colourOf("--genuine"), colourOf("--impostor")]);
    const dashes = scale([
      [1, 0],
      [6, 4],
    ]);
    const area = { mark: { type: "area", interpolate: "step-after", opacity: 0.22 }, encoding: { fill: colours } };
    const line = { type: "line", interpolate: "step-after", strokeWidth: 2.5 };
    const edge = { mark: line, encoding: { stroke: colours, strokeDash: dashes } };
    return [area, edge].map(({ mark, encoding }) => ({ data: { values }, mark, encoding: { ...axes(), ...encoding } }));
  }

  function axes() {
    const x = { field: "x", type: "quantitative", title: text("plot.cosine"), scale: { nice: false, zero: false } };
    const axis = { format: "%", tickCount: 5 };
    const y = { field: "share", type: "quantitative", stack: null, title: text("plot.share"), scale: { type: "sqrt" } };
    return { x, y: { ...y, axis } };
  }

  function scoreSpec(histogram, colourOf) {
    const line = (x, key, dash) => ({ x, dash, words: `${text(key)} ${number(x)}` });
    const lines = [line(histogram.link_cosine, "plot.link", [1, 0]), line(histogram.cut, "plot.cut", [3, 3])];
    return { height: 240, layer: [...scoreLayers(histogram, colourOf), ...ruleLayers(lines, colourOf("--ink"))] };
  }

  /** Scores of pairs of one person and of two people, with the cosine of a link and the cut. */
  function scores(histogram) {
    const at = histogram.link_cosine;
    const above = (kind) => smallShare(shareAbove(histogram.bins, kind, at));
    const says = text("plot.scores.says", {
      link: number(at),
      cut: number(histogram.cut),
      genuine: above("genuine"),
      impostor: above("impostor"),
    });
    return plot({
      title: text("plot.scores", { scope: page.label("scope", histogram.scope) }),
      says,
      legend: legend(["genuine", "impostor"]),
      specOf: (colourOf) => scoreSpec(histogram, colourOf),
      columns: [text("plot.cosine"), text("plot.genuine"), text("plot.impostor")],
      rows: histogram.bins.map((bin) => [
        `${number(bin.low)} – ${number(bin.high)}`,
        number(bin.genuine),
        number(bin.impostor),
      ]),
    });
  }

  function barSpec(values, names, colourOf) {
    const x = {
      field: "name",
      type: "ordinal",
      sort: null,
      title: names.x,
      axis: { labelAngle: 0, labelOverlap: true },
    };
    const y = { field: "count", type: "quantitative", title: names.y, axis: { tickMinStep: 1, tickCount: 5 } };
    return { height: 200, data: { values }, mark: { type: "bar", color: colourOf("--genuine") }, encoding: { x, y } };
  }

  const bandName = (bin) => (bin.low === bin.high ? number(bin.low) : `${number(bin.low)}–${number(bin.high)}`);

  /** How many groups have which size. */
  function sizes(bins, kind) {
    const values = bins.map((bin) => ({ name: bandName(bin), count: bin.count }));
    const most = values.reduce((best, each) => (each.count > best.count ? each : best), { name: "–", count: 0 });
    const names = { x: text("plot.images"), y: text(`plot.${kind}s`) };
    return plot({
      title: text(`plot.sizes.${kind}`),
      says: text("plot.sizes.says", { n: number(total(bins, "count")), size: most.name, count: number(most.count) }),
      specOf: (colourOf) => barSpec(values, names, colourOf),
      columns: [names.x, names.y],
      rows: values.map((each) => [each.name, number(each.count)]),
    });
  }

  function judgedLayers(judged, colourOf) {
    const ink = colourOf("--ink");
    const line = {
      data: {
        values: [
          { x: 0, y: 0 },
          { x: 1, y: 1 },
        ],
      },
      mark: { type: "line", color: ink, strokeDash: [4, 4] },
    };
    const axis = (field, title) => ({
      field,
      type: "quantitative",
      title,
      scale: { domain: [0, 1] },
      axis: { format: "%", tickCount: 5 },
    });
    const encoding = { x: axis("x", text("plot.confidence")), y: axis("y", text("plot.right")) };
    const size = { field: "count", type: "quantitative", legend: null };
    const points = {
      data: { values: judged },
      mark: { type: "circle", color: colourOf("--genuine"), opacity: 1 },
      encoding: { ...encoding, size },
    };
    return [{ ...line, encoding }, points];
  }

  /** How confident the decisions are; and how often people agreed, where people judged. */
  function reliability(bands) {
    const filled = bands.filter((band) => band.count > 0);
    const judged = filled.filter((band) => band.right !== null);
    const values = bands.map((band) => ({
      name: `${number(band.low * 100)}–${page.percent(band.high)}`,
      count: band.count,
    }));
    const points = judged.map((band) => ({ x: band.mean_confidence, y: band.right, count: band.count }));
    const names = { x: text("plot.confidence"), y: text("plot.images.axis") };
    const row = (band) => [
      `${page.percent(band.low)} – ${page.percent(band.high)}`,
      number(band.count),
      page.percent(band.mean_confidence),
      page.percent(band.right),
    ];
    return plot({
      title: text(judged.length ? "plot.reliability" : "plot.confidences"),
      says: text(judged.length ? "plot.reliability.says" : "plot.confidences.says", {
        n: number(total(filled, "count")),
      }),
      specOf: (colourOf) =>
        judged.length ? { height: 240, layer: judgedLayers(points, colourOf) } : barSpec(values, names, colourOf),
      columns: [text("plot.confidence"), text("plot.images.axis"), text("plot.mean"), text("plot.right")],
      rows: filled.map(row),
    });
  }

  function overTimeSpec(values, colourOf) {
    const x = { field: "when", type: "ordinal", title: text("plot.when"), axis: { labelAngle: 0, labelOverlap: true } };
    const y = {
      field: "count",
      type: "quantitative",
      title: text("plot.images.axis"),
      axis: { tickMinStep: 1, tickCount: 4 },
    };
    const range = ["--mode-1", "--mode-2", "--mode-3", "--mode-4"].map(colourOf);
    const color = { field: "mode", type: "nominal", title: null, scale: { range } };
    return {
      height: 180,
      data: { values },
      mark: { type: "bar", stroke: colourOf("--surface") },
      encoding: { x, y, color },
    };
  }

  function counted(members, mode) {
    const counts = new Map();
    members.forEach((member) => counts.set(member.at.slice(0, 4), (counts.get(member.at.slice(0, 4)) || 0) + 1));
    return [...counts].map(([when, count]) => ({ when, count, mode }));
  }

  /** The members of each mode by year, where the source tells when an image was made; else nothing. */
  function overTime(modes) {
    const named = modes.map((mode, at) => [
      mode.members.filter((each) => each.at),
      text("mode", { n: Math.min(at + 1, 4) }),
    ]);
    const values = named.flatMap(([members, name]) => counted(members, name));
    if (new Set(values.map((each) => each.when)).size < 2) return null;
    const years = values.map((each) => each.when).sort();
    return plot({
      title: text("plot.time"),
      says: text("plot.time.says", { from: years[0], to: years.at(-1), n: number(total(values, "count")) }),
      specOf: (colourOf) => overTimeSpec(values, colourOf),
      columns: [text("plot.when"), text("plot.mode"), text("plot.images.axis")],
      rows: values.map((each) => [each.when, each.mode, number(each.count)]),
    });
  }

  Object.assign(page.plots, { scores, sizes, reliability, overTime });
})(facesieve);
