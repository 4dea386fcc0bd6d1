// How is this person? The list of folders and clusters, and a contact sheet of one of them.
"use strict";

(function (page) {
  const { el, text, label, number, percent } = page;
  const { badge, picture, nameOf, groupLink, groupName, stand, short } = page.evidence;

  function groupRow(group) {
    const name = { label: group.label, page: group.page, named: page.summary.names && group.kind === "folder" };
    const verdicts = Object.entries(group.verdicts).filter(([, count]) => count);
    const badges = verdicts.map(([verdict, count]) => badge(verdict, `${label("verdict", verdict)} ${number(count)}`));
    const share = group.size ? group.kept / group.size : 0;
    const bar = el(
      "span",
      { class: "kept", role: "img", "aria-label": text("kept.share", { share: percent(share) }) },
      el("span", { style: { width: `${100 * share}%` } }),
    );
    return el(
      "article",
      { class: "person" },
      el("h2", null, groupLink(name)),
      el(
        "p",
        null,
        text(`kind.${group.kind}`),
        " · ",
        text("n.images", { n: number(group.size) }),
        " · ",
        text("n.modes", { n: number(group.modes) }),
        group.cohesion === null ? null : ` · ${text("cohesion", { cosine: number(group.cohesion) })}`,
      ),
      bar,
      el("p", { class: "badges" }, badges),
    );
  }

  async function people(main, params) {
    const change = page.lists.changer("people", params);
    const kinds = [
      ["folder", text("kind.folder")],
      ["cluster", text("kind.cluster")],
    ];
    const wanted = (params.get("folder") || "").toLowerCase();
    const named = (group) =>
      [group.label, groupName({ label: group.label, named: false }), group.id].some((each) =>
        each.toLowerCase().includes(wanted),
      );
    const fits = (group) => (!params.get("kind") || group.kind === params.get("kind")) && (!wanted || named(group));
    const filters = el(
      "form",
      { class: "filters", "aria-label": text("filters"), onsubmit: (event) => event.preventDefault() },
      page.lists.select("kind", kinds, params.get("kind"), change),
      page.lists.search(params, change),
    );
    const list = page.lists.growing(() => page.items("groups", "groups"), fits, groupRow);
    list.node.querySelector(".entries").classList.add("people");
    main.append(
      page.parts.intro(text("people"), text("people.lead", { n: number(page.summary.groups.entries) })),
      filters,
      list.node,
    );
    await list.advance();
  }

  function copiesOf(member) {
    if (!member.copies.length) return null;
    const shown = member.copies.map((image) => el("div", { class: "frame small" }, picture(image)));
    const summary = el("summary", null, text("copies", { n: number(member.copies.length) }));
    return el("details", { class: "copies" }, summary, el("div", { class: "tiles small" }, shown));
  }

  function numbersOf(member) {
    const cosine = member.cosine === null ? null : el("span", { title: text("tile.cosine") }, number(member.cosine));
    const bar =
      member.cosine === null
        ? null
        : el(
            "span",
            { class: "core", "aria-hidden": "true" },
            el("span", { style: { width: `${100 * Math.max(0, member.cosine)}%` } }),
          );
    return el("div", { class: "numbers" }, bar, cosine);
  }

  function saysOf(member) {
    const reasons = member.reasons.map((reason) => label("reason", reason)).join(", ");
    const parts = [nameOf(member), label("verdict", member.verdict), reasons];
    if (member.cosine !== null) parts.push(`${text("tile.cosine")} ${number(member.cosine)}`);
    if (member.confidence !== null) parts.push(`${text("fact.confidence")} ${percent(member.confidence)}`);
    return parts.filter(Boolean).join(", ");
  }

  /** An image on the contact sheet; its buttons stand in the bar below while it has the focus. */
  function tile(member) {
    const says = saysOf(member);
    const node = el("div", { class: "tile", tabindex: "-1", role: "group", "aria-label": says, title: says });
    const moved = member.moved_to ? el("span", { class: "moved" }, "→ ", groupLink(member.moved_to)) : null;
    const reasons = member.reasons.length
      ? el("span", { class: "because" }, member.reasons.map((each) => label("reason", each)).join(", "))
      : null;
    const stacked = member.copies.length ? " stacked" : "";
    node.append(
      el("div", { class: `frame${stacked}`, "data-copies": member.copies.length || null }, picture(member)),
      el(
        "div",
        { class: "tile-words" },
        badge(member.verdict),
        numbersOf(member),
        reasons,
        moved,
        el("bdi", { class: "name" }, member.name || short(member.image_id)),
        el("span", { class: "your-mark" }),
      ),
      copiesOf(member) || "",
    );
    return stand(node, {
      images: [member],
      all: false,
      pair: null,
      target: member.moved_to?.named ? member.moved_to.label : null,
      title: nameOf(member),
    });
  }

  function tiles(members) {
    return el("div", { class: "tiles" }, members.map(tile));
  }

  function mode(part, at) {
    const title = text("mode", { n: at });
    const of = part.cluster ? groupLink(part.cluster) : text("mode.nobody");
    return el(
      "section",
      { class: "mode" },
      el("h2", null, title, " ", el("small", null, of, " · ", text("n.images", { n: number(part.members.length) }))),
      tiles(part.members),
    );
  }

  function pager(sheet, stem, name) {
    if (sheet.pages < 2) return null;
    const link = (at) => `#group/${encodeURIComponent(stem)}?page=${at}`;
    const turn = (at, words) =>
      at < 1 || at > sheet.pages ? el("span", { class: "off" }, words) : el("a", { href: link(at) }, words);
    return el(
      "nav",
      { class: "pager", "aria-label": text(name) },
      turn(sheet.page - 1, text("pages.before")),
      el("span", null, text("pages.at", { n: number(sheet.page), of: number(sheet.pages) })),
      turn(sheet.page + 1, text("pages.next")),
    );
  }

  const members = (sheet) => [...sheet.modes.flatMap((part) => part.members), ...sheet.dropped];

  function bar(main) {
    const place = el(
      "div",
      { class: "act-bar", role: "region", "aria-label": text("bar") },
      el("p", null, text("bar.empty")),
    );
    main.addEventListener("focusin", (event) => {
      const node = event.target.closest(".tile");
      if (!node || !main.contains(place)) return;
      const subject = page.evidence.subjects.get(node);
      place.replaceChildren(el("p", null, el("bdi", null, subject.title)), page.evidence.actions(node, subject));
      sync(place, node);
    });
    return place;
  }

  /** Shows on the bar's buttons what the tile's mark is. */
  function sync(place, node) {
    if (!place || !node) return;
    const subject = page.evidence.subjects.get(node);
    const verdict = subject?.images[0] && page.marks.of(page.marks.imageKey(subject.images[0].image_id))?.verdict;
    place
      .querySelectorAll(".act")
      .forEach((each) => each.setAttribute("aria-pressed", String(each.getAttribute("data-verdict") === verdict)));
  }

  function sizer(main) {
    const grow = (event) => main.style.setProperty("--tile", `${event.target.value}px`);
    const input = el("input", { type: "range", min: 72, max: 320, step: 8, value: 128, oninput: grow });
    return el("label", { class: "sizer" }, el("span", null, text("tile.size")), input);
  }

  function leadOf(sheet) {
    const all = members(sheet);
    const kept = all.filter((each) => ["keep", "move"].includes(each.verdict)).length;
    const values = { n: number(all.length), kept: number(kept), modes: number(sheet.modes.length) };
    return text(sheet.pages > 1 ? "sheet.lead.page" : "sheet.lead", values);
  }

  function headOf(sheet) {
    const head = page.parts.intro("", leadOf(sheet));
    const named = sheet.kind === "folder" && page.summary.names;
    head.firstChild.append(el("bdi", null, groupName({ label: sheet.label, named })));
    return head;
  }

  function droppedOf(sheet) {
    if (!sheet.dropped.length) return null;
    const count = el("small", null, text("n.images", { n: number(sheet.dropped.length) }));
    return el("section", { class: "mode" }, el("h2", null, text("dropped"), " ", count), tiles(sheet.dropped));
  }

  /** The contact sheet of a folder or cluster: from the core to the border, mode by mode, then what was dropped. */
  async function group(main, params, stem) {
    const at = Number(params.get("page")) || 1;
    const sheet = await page.load(at > 1 ? page.paged(stem, at) : stem);
    const plot = page.plots.overTime(sheet.modes);
    const parts = [
      el("p", { class: "back" }, el("a", { href: "#people" }, text("back"))),
      headOf(sheet),
      el("div", { class: "sheet-tools" }, pager(sheet, stem, "pages"), sizer(main)),
      ...sheet.modes.map((part, place) => mode(part, place + 1)),
      droppedOf(sheet),
      plot && el("div", { class: "card" }, plot),
      pager(sheet, stem, "pages.below"),
      bar(main),
    ];
    main.append(...parts.filter(Boolean));
  }

  page.marks.listen(() => sync(document.querySelector(".act-bar"), page.keys.current()));
  Object.assign(page.views, { people, group });
})(facesieve);
