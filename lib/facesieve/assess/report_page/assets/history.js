// Can I trust the model? What changed since the run before? What became of earlier decisions?
"use strict";

(function (page) {
  const { el, text, label, number } = page;
  const { badge } = page.evidence;
  const { section, intro, stat } = page.parts;

  function trust(main) {
    const { summary } = page;
    const plots = [
      ...summary.histograms.map(page.plots.scores),
      summary.reliability.length ? page.plots.reliability(summary.reliability) : null,
      summary.cluster_sizes.length ? page.plots.sizes(summary.cluster_sizes, "cluster") : null,
      summary.folder_sizes.length ? page.plots.sizes(summary.folder_sizes, "folder") : null,
    ].filter(Boolean);
    main.append(
      intro(text("trust"), text("trust.lead")),
      el(
        "div",
        { class: "plots" },
        plots.map((plot) => el("div", { class: "card" }, plot)),
      ),
    );
  }

  function changed(main) {
    const { changes, before } = page.summary;
    main.append(intro(text("changes"), before ? text("changes.lead", { before }) : text("changes.first")));
    if (!changes) return;
    const rows = [...changes.verdicts].sort((one, other) => other.count - one.count);
    const cells = rows.map((row) => [
      el("span", { class: "path" }, badge(row.from), " → ", badge(row.to)),
      number(row.count),
    ]);
    const table = page.plots.table([text("col.path"), text("col.images")], cells, text("changes.verdicts"));
    main.append(
      el(
        "dl",
        { class: "stats" },
        stat(number(changes.new_images), text("changes.new")),
        stat(number(changes.gone_images), text("changes.gone")),
        stat(number(changes.clusters_split), text("changes.split")),
        stat(number(changes.clusters_merged), text("changes.merged")),
      ),
      section(text("changes.verdicts"), cells.length ? table : el("p", { class: "empty" }, text("none"))),
      el("p", null, el("a", { href: "#pairs" }, text("changes.pairs"))),
    );
  }

  const followed = (part) => text("judged.followed", { rows: number(part.rows), followed: number(part.followed) });

  function idCell(id) {
    return el("code", { title: id }, id);
  }

  function tableOr(columns, rows, caption) {
    return rows.length ? page.plots.table(columns, rows, caption) : el("p", { class: "empty" }, text("none"));
  }

  const changedRow = (each) => [idCell(each.image_id), badge(each.verdict_before), badge(each.verdict)];

  function contradictedRow(each) {
    const verdicts = [badge(each.verdict), badge(each.proposal)];
    return [idCell(each.image_id), ...verdicts, each.who || "–", page.moment(each.at)];
  }

  function pairRow(each) {
    return [label("constraint", each.kind), idCell(each.image_a), idCell(each.image_b), number(each.cosine)];
  }

  /** A part of judgements: its title, and a table of its rows. */
  function part(key, columns, rows) {
    const heads = columns.map((column) => text(`col.${column}`));
    return [el("h3", null, text(key)), tableOr(heads, rows, text(key))];
  }

  function judged(main) {
    const { overrides, constraints } = page.summary.judgements;
    const against = ["image", "yours", "evidence", "who", "at"];
    main.append(
      intro(text("judged"), text("judged.lead")),
      section(
        text("judged.overrides"),
        el("p", null, followed(overrides)),
        part("judged.changed", ["image", "before", "after"], overrides.changed.map(changedRow)),
        part("judged.contradicted", against, overrides.contradicted.map(contradictedRow)),
        el("p", { class: "soft" }, text("judged.contradicted.lead")),
      ),
      section(
        text("judged.constraints"),
        el("p", null, followed(constraints)),
        part("judged.pairs", ["kind", "first", "second", "cosine"], constraints.contradicted.map(pairRow)),
      ),
    );
  }

  Object.assign(page.views, { trust, changes: changed, judged });
})(facesieve);
