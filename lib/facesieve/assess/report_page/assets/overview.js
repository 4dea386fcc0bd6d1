// Is the run sound? Totals, checks, verdicts and reasons, warnings, steps.
"use strict";

(function (page) {
  const { el, text, label, number, percent } = page;
  const { badge } = page.evidence;
  const STATES = { good: "✓", look: "!", none: "–" };

  function section(title, ...content) {
    return el("section", { class: "card" }, el("h2", null, title), content);
  }

  function intro(title, lead) {
    return el("header", { class: "intro" }, el("h1", { tabindex: "-1" }, title), lead ? el("p", null, lead) : null);
  }

  function change(count, before) {
    if (before === null || before === undefined) return "–";
    const difference = count - before;
    return difference === 0 ? "±0" : `${difference > 0 ? "+" : "−"}${number(Math.abs(difference))}`;
  }

  /** A table of counts with a bar for each; `word` gives what a name is called. */
  function counts(rows, word, caption) {
    if (!rows.length) return el("p", { class: "empty" }, text("none"));
    const most = Math.max(...rows.map((row) => row.count), 1);
    const line = (row) =>
      el(
        "tr",
        null,
        el("th", { scope: "row" }, word(row.name)),
        el("td", { class: "n" }, number(row.count)),
        el("td", { class: "n soft" }, change(row.count, row.before)),
        el(
          "td",
          { class: "bar", "aria-hidden": "true" },
          el("span", { style: { width: `${(100 * row.count) / most}%` } }),
        ),
      );
    const heads = [text("col.name"), text("col.images"), text("col.change"), ""];
    const head = el(
      "tr",
      null,
      heads.map((each) => (each ? el("th", { scope: "col" }, each) : el("td", null))),
    );
    const whole = el(
      "table",
      { class: "counts" },
      el("caption", { class: "hidden" }, caption),
      el("thead", null, head),
      el("tbody", null, rows.map(line)),
    );
    return whole;
  }

  function verdictBar(verdicts) {
    const all = verdicts.reduce((sum, each) => sum + each.count, 0) || 1;
    const parts = verdicts
      .filter((each) => each.count)
      .map((each) => el("span", { "data-verdict": each.name, style: { width: `${(100 * each.count) / all}%` } }));
    const says = verdicts.map((each) => `${label("verdict", each.name)} ${percent(each.count / all, 1)}`).join(", ");
    return el("div", { class: "stack", role: "img", "aria-label": says }, parts);
  }

  function stat(value, name, note) {
    return el(
      "div",
      { class: "stat" },
      el("dd", null, value),
      el("dt", null, name),
      note ? el("dd", { class: "note" }, note) : null,
    );
  }

  function totals(summary) {
    const { images, faces, folders, clusters } = summary.totals;
    const published = summary.verdicts.filter((each) => ["keep", "move"].includes(each.name));
    const share = images ? published.reduce((sum, each) => sum + each.count, 0) / images : null;
    return el(
      "dl",
      { class: "stats" },
      stat(number(images), text("total.images")),
      stat(number(faces), text("total.faces")),
      summary.identities ? stat(number(folders), text("total.folders")) : null,
      stat(number(clusters), text("total.clusters")),
      stat(percent(share, 1), text("total.published")),
    );
  }

  function check(state, title, says) {
    const sign = el("span", { class: "sign", "aria-hidden": "true" }, STATES[state]);
    const word = el("span", { class: "hidden" }, `${text(`check.${state}`)}: `);
    return el(
      "li",
      { "data-state": state },
      sign,
      el("div", null, word, el("strong", null, title), el("p", null, says)),
    );
  }

  function reconciled(summary) {
    const { listing, decided, missing, extra } = summary.reconciliation;
    const whole = missing === 0 && extra === 0 && listing === decided;
    const values = {
      listing: number(listing),
      decided: number(decided),
      missing: number(missing),
      extra: number(extra),
    };
    return check(
      whole ? "good" : "look",
      text("check.reconciled"),
      text(whole ? "check.reconciled.good" : "check.reconciled.look", values),
    );
  }

  function recall(link) {
    const scope = label("scope", link.scope);
    const title = text("check.recall", { scope });
    if (link.recall === null) return check("none", title, text("check.recall.none"));
    const values = {
      recall: percent(link.recall, 1),
      low: percent(link.recall_low, 1),
      high: percent(link.recall_high, 1),
      edges: number(link.edges),
    };
    return check(
      link.recall_low === null || link.recall_low >= 0.9 ? "good" : "look",
      title,
      text("check.recall.says", values),
    );
  }

  function falseMatches(link) {
    if (link.false_matches === null || link.false_matches_forecast === null) return null;
    const values = { came: number(link.false_matches), forecast: number(link.false_matches_forecast) };
    const more = link.false_matches > 2 * link.false_matches_forecast;
    const title = text("check.false", { scope: label("scope", link.scope) });
    return check(more ? "look" : "good", title, text("check.false.says", values));
  }

  function unread(summary) {
    const count = summary.rejects.find((each) => each.name === "unread")?.count || 0;
    return check(
      count ? "look" : "good",
      text("check.unread"),
      text(count ? "check.unread.look" : "check.unread.good", { n: number(count) }),
    );
  }

  function warned(summary) {
    const n = summary.warnings.length;
    return check(
      n ? "look" : "good",
      text("check.warnings"),
      text(n ? "check.warnings.look" : "check.warnings.good", { n: number(n) }),
    );
  }

  function checks(summary) {
    const links = summary.link.flatMap((link) => [recall(link), falseMatches(link)]);
    return el("ul", { class: "checks" }, reconciled(summary), unread(summary), links, warned(summary));
  }

  function warnings(summary) {
    if (!summary.warnings.length) return null;
    const lines = summary.warnings.map((each) => el("li", null, each.text));
    return section(text("warnings"), el("ul", { class: "lines" }, lines));
  }

  function steps(summary) {
    const rows = summary.steps.map((step) => [
      label("step", step.name),
      step.reused ? text("reused") : page.time(step.seconds),
      number(step.jobs),
      number(step.tasks),
    ]);
    const columns = [text("col.step"), text("col.time"), text("col.jobs"), text("col.tasks")];
    return section(text("steps"), page.plots.table(columns, rows, text("steps.caption")));
  }

  function sound(main) {
    const { summary } = page;
    const reason = (name) => label("reason", name);
    const values = { run: summary.run, at: page.moment(summary.ended), time: page.time(lasted(summary)) };
    main.append(
      intro(text("sound"), text("sound.lead", values)),
      totals(summary),
      section(text("checks"), checks(summary)),
      el(
        "div",
        { class: "columns" },
        section(text("verdicts"), verdictBar(summary.verdicts), counts(summary.verdicts, badge, text("verdicts"))),
        section(text("reasons"), counts(summary.reasons, reason, text("reasons"))),
        section(text("rejects"), counts(summary.rejects, reason, text("rejects"))),
        section(text("ignored"), counts(summary.ignored, String, text("ignored"))),
        warnings(summary),
        steps(summary),
      ),
    );
  }

  function lasted(summary) {
    const length = (new Date(summary.ended) - new Date(summary.started)) / 1000;
    return Number.isFinite(length) ? length : null;
  }

  page.views = { sound };
  page.parts = { section, intro, stat };
})(facesieve);
