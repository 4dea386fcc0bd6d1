// What shall I look at first? Cards with the evidence side by side.
"use strict";

(function (page) {
  const { el, text, label, number, percent } = page;
  const { growing, changer, search, select, markedChoices } = page.lists;
  const { badge, figure, groupLink, groupName, stand, actions } = page.evidence;
  const OF_PAIRS = ["two_modes", "low_cohesion", "identity_link"];
  const WITHOUT_IMAGE = ["low_cohesion", "identity_link"];
  const OF_MANY = ["quarantine", "outlier", "flip", "reject"];
  const ROLES = ["image", "nearest", "medoid", "other"];

  const groupWords = (group) => (group ? groupName(group) : text("group.nobody"));

  /** The question that an entry asks. */
  function question(entry) {
    const names = {
      folder: groupWords(entry.folder),
      cluster: groupWords(entry.cluster),
      target: groupWords(entry.target),
    };
    if (!entry.folder) return text("ask.nobody", names);
    const many = OF_MANY.includes(entry.kind) && (entry.images || []).length > 1;
    return text(many ? "ask.many" : `ask.${entry.kind}`, { ...names, n: number(entry.effect) });
  }

  function pairOf(entry) {
    const [one, other] = [entry.medoid || entry.image, entry.other || entry.nearest];
    if (!OF_PAIRS.includes(entry.kind) || !one || !other || one.image_id === other.image_id) return null;
    return [one.image_id, other.image_id];
  }

  function subjectOf(entry) {
    const target = entry.target?.named ? entry.target.label : null;
    const asked = (entry.images || []).filter((image) => image.image_id !== entry.image?.image_id);
    const images = WITHOUT_IMAGE.includes(entry.kind) ? [] : [...(entry.image ? [entry.image] : []), ...asked];
    const all = !entry.image || (entry.kind !== "duplicate" && images.length > 1);
    return { images, all, pair: pairOf(entry), target, title: question(entry) };
  }

  function fact(name, value) {
    return value === null || value === undefined
      ? null
      : el("div", null, el("dt", null, text(`fact.${name}`)), el("dd", null, value));
  }

  function facts(entry) {
    const given = (value, format) => (value === null || value === undefined ? null : format(value));
    return el(
      "dl",
      { class: "facts" },
      fact("confidence", given(entry.confidence, percent)),
      fact("cosine", given(entry.cosine, number)),
      fact(
        "margin",
        given(entry.margin, (value) => `${value > 0 ? "+" : ""}${number(value)}`),
      ),
      fact("share", given(entry.share, percent)),
      fact("wrong", given(entry.wrong, percent)),
      fact("effect", given(entry.effect, number)),
      fact("expected", given(entry.expected, number)),
    );
  }

  function why(entry) {
    const doubted = entry.kind === "outlier" && entry.verdict === "keep";
    const lines = [
      text(doubted ? "why.doubted" : `why.${entry.kind}`),
      ...entry.reasons.map((reason) => label("because", reason)),
    ];
    return el("p", { class: "why" }, [...new Set(lines)].join(" "));
  }

  function where(entry) {
    const groups = ["folder", "target", "cluster"].filter((name) => entry[name]);
    return el(
      "p",
      { class: "where" },
      groups.map((name) => el("span", null, `${text(`where.${name}`)} `, groupLink(entry[name]))),
    );
  }

  function pictures(entry) {
    const role = (name) =>
      text(name === "other" ? `role.other.${entry.kind === "duplicate" ? "copy" : "medoid"}` : `role.${name}`);
    return el(
      "div",
      { class: "side" },
      ROLES.filter((name) => entry[name]).map((name) => figure(entry[name], role(name))),
    );
  }

  /** Whether a mark holds for all images that are shown, or for the first alone. */
  function forAll(node, subject) {
    const choose = (event) => {
      subject.all = event.target.checked;
      page.evidence.refresh(node);
    };
    const input = el("input", { type: "checkbox", checked: subject.all, onchange: choose });
    return el("label", null, input, " ", text("together", { n: number(subject.images.length) }));
  }

  /** The images that an entry asks about together. */
  function together(entry, node, subject) {
    const shown = subject.images.length ? subject.images : entry.images || [];
    if (shown.length < 2) return null;
    const tiles = shown.map((image) => el("div", { class: "frame small" }, page.evidence.picture(image)));
    const choice = subject.images.length > 1 ? forAll(node, subject) : null;
    return el("div", { class: "together" }, el("div", { class: "tiles small" }, tiles), choice);
  }

  function card(entry, at) {
    const subject = subjectOf(entry);
    const node = el("article", {
      class: "entry",
      tabindex: "-1",
      "aria-label": text("entry", { n: at, title: subject.title }),
    });
    stand(node, subject);
    const verdict = entry.verdict
      ? el("span", { class: "run-says" }, text("run.says"), " ", badge(entry.verdict))
      : null;
    const kind = el("span", { class: "kind" }, label("kind", entry.kind));
    node.append(
      el(
        "div",
        { class: "top" },
        el("span", { class: "rank", "aria-hidden": "true" }, at),
        kind,
        verdict,
        el("span", { class: "your-mark" }),
      ),
      el("h2", null, subject.title),
      el(
        "div",
        { class: "body" },
        pictures(entry),
        el("div", { class: "words" }, why(entry), where(entry), facts(entry)),
      ),
      together(entry, node, subject) || "",
      actions(node, subject),
    );
    return node;
  }

  const kindsOf = (paged) =>
    paged.kinds.map((each) => [each.name, `${label("kind", each.name)} (${number(each.count)})`]);

  const holds = (groups, wanted) =>
    groups.some(
      (group) =>
        group &&
        (group.label.toLowerCase().includes(wanted) ||
          groupName(group).toLowerCase().includes(wanted) ||
          group.id === wanted),
    );

  function fitsMark(subject, wanted) {
    if (!wanted) return true;
    return page.evidence.marksOf(subject).length > 0 === (wanted === "marked");
  }

  function entryFits(params) {
    const folder = (params.get("folder") || "").toLowerCase();
    return (entry) =>
      (!params.get("kind") || entry.kind === params.get("kind")) &&
      (!params.get("verdict") || entry.verdict === params.get("verdict")) &&
      (!folder || holds([entry.folder, entry.target, entry.cluster], folder)) &&
      fitsMark(subjectOf(entry), params.get("marked"));
  }

  async function queue(main, params) {
    const { summary } = page;
    const change = changer("queue", params);
    const verdicts = summary.verdicts.map((each) => [each.name, label("verdict", each.name)]);
    const filters = el(
      "form",
      { class: "filters", "aria-label": text("filters"), onsubmit: (event) => event.preventDefault() },
      select("kind", kindsOf(summary.queue), params.get("kind"), change),
      select("verdict", verdicts, params.get("verdict"), change),
      select("marked", markedChoices(), params.get("marked"), change),
      search(params, change),
    );
    const list = growing(() => page.items("queue", "entries"), entryFits(params), card);
    main.append(
      page.parts.intro(text("queue"), text("queue.lead", { n: number(summary.queue.entries) })),
      filters,
      list.node,
    );
    await list.advance();
  }

  page.views.queue = queue;
  page.review = { facts, holds };
})(facesieve);
