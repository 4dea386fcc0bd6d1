// What the views share: pictures, badges, links to groups, and things that a person can mark.
"use strict";

(function (page) {
  const { el, text, label, marks } = page;
  const SIGNS = { keep: "✓", drop: "✕", move: "→", quarantine: "?", fail: "–", same: "=", different: "≠" };
  const PICTURE = /^pictures\/[\w-]+\/[\w-]+\.\w+$/;
  const ON_IMAGES = ["keep", "drop", "move"];
  const ON_PAIRS = ["same", "different"];
  const KEYS = { keep: "K", drop: "D", move: "M", same: "S", different: "X" };
  const subjects = new WeakMap();
  page.evidence = {};

  /** A verdict as sign, word and colour: readable in grey. */
  function badge(verdict, words) {
    const sign = el("span", { "aria-hidden": "true", class: "sign" }, SIGNS[verdict] || "•");
    return el("span", { class: "badge", "data-verdict": verdict }, sign, words ?? label("verdict", verdict));
  }

  /** The end of an id: enough to tell images apart on a page. */
  const short = (id) => `…${String(id).slice(-6)}`;

  function nameOf(image) {
    return image.name || text("image.id", { id: short(image.image_id) });
  }

  function placeholder(image) {
    return el("span", { class: "no-picture", title: image.image_id }, short(image.image_id));
  }

  function picture(image) {
    if (!PICTURE.test(image.picture || "")) return placeholder(image);
    const alt = text("image.alt", { name: nameOf(image) });
    const shown = el("img", { src: image.picture, alt, loading: "lazy", decoding: "async" });
    shown.addEventListener("error", () => shown.replaceWith(placeholder(image)));
    return shown;
  }

  /** An image with what it stands for beneath it. */
  function figure(image, role) {
    const caption = el(
      "figcaption",
      null,
      el("strong", null, role),
      el("bdi", { title: image.image_id }, nameOf(image)),
    );
    return el("figure", { class: "evidence" }, el("div", { class: "frame" }, picture(image)), caption);
  }

  /** The name of a folder or cluster; one without a name is named in the language of the page. */
  function groupName(group) {
    const plain = /^(former cluster|folder|cluster) (-?\d+)$/.exec(group.label);
    return !group.named && plain ? text(`group.${plain[1]}`, { n: plain[2] }) : group.label;
  }

  /** A folder or cluster by name: a link where it has a contact sheet. */
  function groupLink(group) {
    const name = el("bdi", null, groupName(group));
    if (!group.page) return el("span", { class: "group" }, name);
    return el("a", { class: "group", href: `#group/${encodeURIComponent(group.page)}` }, name);
  }

  function verdictsOf(subject) {
    const images = subject.images.length ? ON_IMAGES.filter((each) => each !== "move" || page.summary.names) : [];
    return [...images, ...(subject.pair ? ON_PAIRS : [])];
  }

  /** The ids of the images that a verdict marks: the first, or all of them. */
  function idsOf(subject) {
    return subject.images.slice(0, subject.all ? undefined : 1).map((image) => image.image_id);
  }

  function keyOf(subject, verdict) {
    return ON_PAIRS.includes(verdict) ? marks.pairKey(subject.pair) : marks.imageKey(idsOf(subject)[0]);
  }

  function keysOf(subject) {
    return [...idsOf(subject).map(marks.imageKey), ...(subject.pair ? [marks.pairKey(subject.pair)] : [])];
  }

  function marksOf(subject) {
    return keysOf(subject).map(marks.of).filter(Boolean);
  }

  /** Marks what a node stands for; a verdict that does not fit is said. Returns whether something was marked. */
  async function act(node, verdict) {
    const subject = subjects.get(node);
    if (verdict === "clear") return clear(subject);
    if (!verdictsOf(subject).includes(verdict)) {
      page.announce(text(verdict === "move" && !page.summary.names ? "no.move" : "no.verdict"));
      return false;
    }
    if (ON_PAIRS.includes(verdict)) marks.markPair(subject.pair, verdict);
    else if (verdict !== "move") marks.markImages(idsOf(subject), verdict);
    else return page.askMove(subject);
    page.announce(text("marked", { verdict: label("verdict", verdict), of: subject.title }));
    return true;
  }

  function clear(subject) {
    marks.clear(keysOf(subject));
    page.announce(text("cleared", { of: subject.title }));
    return true;
  }

  function button(node, verdict) {
    const key = el("kbd", { "aria-hidden": "true" }, KEYS[verdict]);
    const sign = el("span", { "aria-hidden": "true", class: "sign" }, SIGNS[verdict]);
    const click = () => act(node, verdict);
    const attributes = {
      type: "button",
      class: "act",
      "data-verdict": verdict,
      onclick: click,
      "aria-pressed": "false",
    };
    return el("button", attributes, sign, label("verdict", verdict), key);
  }

  /** The buttons of a node that stands for a subject. */
  function actions(node, subject) {
    const buttons = verdictsOf(subject).map((verdict) => button(node, verdict));
    return el(
      "div",
      { class: "actions", role: "group", "aria-label": text("actions", { of: subject.title }) },
      buttons,
    );
  }

  /** Makes a node stand for a subject: {images, all, pair, target, title}. Marks are shown on it as they change. */
  function stand(node, subject) {
    node.setAttribute("data-item", "");
    subjects.set(node, subject);
    return node;
  }

  function refresh(node) {
    const subject = subjects.get(node);
    if (!subject) return;
    const made = marksOf(subject);
    node.toggleAttribute("data-marked", made.length > 0);
    node.querySelectorAll(".act").forEach((each) => {
      const verdict = each.getAttribute("data-verdict");
      const pressed = marks.of(keyOf(subject, verdict))?.verdict === verdict;
      each.setAttribute("aria-pressed", String(pressed));
    });
    const shown = new Map(made.map((mark) => [`${mark.verdict} ${mark.moved_to}`, mark]));
    node.querySelectorAll(".your-mark").forEach((place) => place.replaceChildren(...[...shown.values()].map(words)));
  }

  /** A mark in words, as a badge. */
  function words(mark) {
    const said = mark.verdict === "move" ? text("mark.move", { to: mark.moved_to }) : label("verdict", mark.verdict);
    return badge(mark.verdict, text("mark", { said }));
  }

  const refreshAll = () => document.querySelectorAll("[data-item]").forEach(refresh);

  Object.assign(page.evidence, { badge, short, nameOf, picture, figure, groupName, groupLink, stand, actions, act });
  Object.assign(page.evidence, { refresh, refreshAll, marksOf, idsOf, subjects, words });
})(facesieve);
