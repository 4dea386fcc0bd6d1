// Saving: the files that the next run reads, made in the browser and handed to the person.
"use strict";

(function (page) {
  const { el, text, number, marks } = page;
  const WHO = "facesieve:who";

  function who() {
    try {
      return localStorage.getItem(WHO) || "";
    } catch {
      return "";
    }
  }

  function remember(name) {
    try {
      localStorage.setItem(WHO, name);
    } catch {
      page.announce(text("not.stored"));
    }
  }

  /** The two files as they would be saved. */
  function files(name) {
    const { files: before, started } = page.summary;
    return {
      "overrides.csv": page.csv.overrides(before.overrides, marks.images(), name, started),
      "constraints.csv": page.csv.constraints(before.constraints, marks.pairs(), name),
    };
  }

  function download(name, content) {
    const address = URL.createObjectURL(new Blob([content], { type: "text/csv;charset=utf-8" }));
    const link = el("a", { href: address, download: name, hidden: true });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }

  function wanted(name) {
    return Object.entries(files(name)).filter(([, file]) => file.count > 0);
  }

  /** Hands over the files that hold a row: the job refuses an empty one. */
  function save(name, only) {
    const handed = wanted(name).filter(([file]) => !only || file === only);
    handed.forEach(([file, { text: content }]) => download(file, content));
    if (handed.length) marks.saved();
    page.announce(text("saved", { files: handed.map(([file]) => file).join(", ") || "–" }));
  }

  function unmark(key, mark) {
    const of = mark.image_id
      ? text("image.id", { id: page.evidence.short(mark.image_id) })
      : text("pair.ids", { a: page.evidence.short(mark.image_a), b: page.evidence.short(mark.image_b) });
    const remove = el(
      "button",
      { type: "button", "data-key": key, "aria-label": text("unmark", { of }) },
      text("remove"),
    );
    return el(
      "li",
      null,
      page.evidence.words(mark),
      el("span", { title: mark.image_id || `${mark.image_a} ${mark.image_b}` }, of),
      remove,
    );
  }

  function contradicted(name) {
    const rows = files(name)["constraints.csv"].contradictions;
    if (!rows.length) return null;
    const pairs = rows.map((row) =>
      el("li", null, text("pair.ids", { a: page.evidence.short(row.image_a), b: page.evidence.short(row.image_b) })),
    );
    return el("div", { class: "problem", role: "alert" }, el("p", null, text("contradiction")), el("ul", null, pairs));
  }

  function list() {
    const entries = marks.entries().sort(([, one], [, other]) => other.at.localeCompare(one.at));
    if (!entries.length) return el("p", { class: "empty" }, text("marks.none"));
    return el(
      "ul",
      { class: "marks" },
      entries.map(([key, mark]) => unmark(key, mark)),
    );
  }

  function field() {
    const input = el("input", {
      id: "who",
      name: "who",
      autocomplete: "name",
      required: true,
      value: who(),
      "aria-describedby": "who-hint",
    });
    input.addEventListener("input", () => remember(input.value.trim()));
    return el(
      "p",
      null,
      el("label", { for: "who" }, text("who")),
      input,
      el("small", { id: "who-hint" }, text("who.hint")),
    );
  }

  function buttons(input) {
    const asked = (only) => () => {
      if (!input.reportValidity() || !input.value.trim()) return;
      save(input.value.trim(), only);
    };
    const counts = files(who());
    const one = (name) =>
      el(
        "button",
        { type: "button", disabled: counts[name].count === 0, onclick: asked(name), "data-save": name },
        text("save.one", { file: name, n: number(counts[name].count) }),
      );
    const all = el(
      "button",
      { type: "button", class: "primary", disabled: wanted(who()).length === 0, onclick: asked(null), id: "save" },
      text("save.both"),
    );
    return el("div", { class: "buttons" }, all, one("overrides.csv"), one("constraints.csv"));
  }

  /** What the dialog of marks holds: who decides, the files, and every mark. */
  function content() {
    const name = field();
    const body = el(
      "div",
      { class: "saving" },
      el("p", null, text("save.lead")),
      page.summary.merge === false ? el("p", null, text("save.beside")) : "",
      name,
      buttons(name.querySelector("input")),
      el("div", null, contradicted(who()) || ""),
      el("h3", null, text("marks.count", { n: number(marks.count()) })),
      list(),
    );
    if (!marks.areStored()) body.prepend(el("p", { class: "problem" }, text("not.stored")));
    if (marks.savedAt())
      body.append(el("p", { class: "soft" }, text("saved.at", { at: page.moment(marks.savedAt()) })));
    return body;
  }

  page.saving = { content, files, save };
})(facesieve);
