// Who is the same? Pairs of folders or clusters as pairs of contact sheets.
"use strict";

(function (page) {
  const { el, text, label, number } = page;
  const { growing, changer, search, select } = page.lists;
  const { groupLink, groupName, stand, actions } = page.evidence;
  const { facts, holds } = page.review;

  function sheet(group, images, side) {
    const head = el(
      "div",
      { class: "sheet-head" },
      el("h3", null, groupLink(group)),
      el("span", null, text("n.images", { n: number(group.size) })),
    );
    const tiles = images.map((image) => el("div", { class: "frame small" }, page.evidence.picture(image)));
    return el(
      "div",
      { class: "sheet", role: "group", "aria-label": text(`pair.${side}`) },
      head,
      el("div", { class: "tiles small" }, tiles),
    );
  }

  function pairCard(pair, at) {
    const title = text(`pair.${pair.kind}`, { a: groupName(pair.a), b: groupName(pair.b) });
    const medoids = [pair.sheet_a[0], pair.sheet_b[0]];
    const both = medoids.every(Boolean) && medoids[0].image_id !== medoids[1].image_id;
    const subject = {
      images: [],
      all: false,
      pair: both ? medoids.map((image) => image.image_id) : null,
      target: null,
      title,
    };
    const node = el("article", { class: "entry pair", tabindex: "-1", "aria-label": text("entry", { n: at, title }) });
    stand(node, subject);
    node.append(
      el(
        "div",
        { class: "top" },
        el("span", { class: "rank", "aria-hidden": "true" }, at),
        el("span", { class: "kind" }, label("pairkind", pair.kind)),
        el("span", { class: "your-mark" }),
      ),
      el("h2", null, title),
      el("div", { class: "sheets" }, sheet(pair.a, pair.sheet_a, "a"), sheet(pair.b, pair.sheet_b, "b")),
      facts(pair),
      actions(node, subject),
    );
    return node;
  }

  async function pairs(main, params) {
    const change = changer("pairs", params);
    const kinds = ["identity_link", "split", "merged"].map((name) => [name, label("pairkind", name)]);
    const folder = (params.get("folder") || "").toLowerCase();
    const fits = (pair) =>
      (!params.get("kind") || pair.kind === params.get("kind")) && (!folder || holds([pair.a, pair.b], folder));
    const filters = el(
      "form",
      { class: "filters", "aria-label": text("filters"), onsubmit: (event) => event.preventDefault() },
      select("kind", kinds, params.get("kind"), change),
      search(params, change),
    );
    const list = growing(() => page.items("pairs", "pairs"), fits, pairCard);
    main.append(
      page.parts.intro(text("pairs"), text("pairs.lead", { n: number(page.summary.pairs.entries) })),
      filters,
      list.node,
    );
    await list.advance();
  }

  page.views.pairs = pairs;
})(facesieve);
