// The keyboard: a key for each verdict, arrows between what can be marked, undo and help.
"use strict";

(function (page) {
  const { text, marks } = page;
  const VERDICTS = { k: "keep", d: "drop", m: "move", s: "same", x: "different", c: "clear" };
  const ARROWS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -2, ArrowDown: 2 };
  const OFF = "facesieve:keys";
  let last = null;

  function areOn() {
    try {
      return localStorage.getItem(OFF) !== "off";
    } catch {
      return true;
    }
  }

  function turn(on) {
    try {
      localStorage.setItem(OFF, on ? "on" : "off");
    } catch {
      page.announce(text("not.stored"));
    }
  }

  const items = () => [...document.querySelectorAll("[data-item]")];

  /** What the keys act on: what has the focus, else what had it last. */
  function current() {
    const focused = document.activeElement?.closest("[data-item]");
    if (focused) return focused;
    return last?.isConnected ? last : null;
  }

  function focus(node) {
    if (!node) return;
    items().forEach((each) => each.setAttribute("tabindex", each === node ? "0" : "-1"));
    node.focus({ preventScroll: true });
    node.scrollIntoView({ block: "nearest" });
  }

  /** The first item is in the order of the Tab key. */
  function enter() {
    last = null;
    items()
      .slice(0, 1)
      .forEach((each) => each.setAttribute("tabindex", "0"));
  }

  /** The item in the row above or below that lies nearest. */
  function vertical(node, all, down) {
    const here = node.getBoundingClientRect();
    const away = (rect) => (down ? rect.top - here.top : here.top - rect.top);
    const rest = all.map((each) => ({ each, rect: each.getBoundingClientRect() })).filter(({ rect }) => away(rect) > 4);
    const row = Math.min(...rest.map(({ rect }) => away(rect)));
    const near = rest.filter(({ rect }) => away(rect) < row + 4);
    const side = ({ rect }) => Math.abs(rect.left - here.left);
    return near.reduce((best, one) => (best === null || side(one) < side(best) ? one : best), null)?.each;
  }

  function go(step) {
    const all = items();
    const node = current();
    if (!all.length) return;
    if (!node) focus(all[0]);
    else if (Math.abs(step) === 1) focus(all[all.indexOf(node) + step]);
    else focus(vertical(node, all, step > 0));
  }

  async function mark(verdict) {
    const node = current();
    if (!node) return page.announce(text("no.item"));
    const marked = await page.evidence.act(node, verdict);
    const next = items()[items().indexOf(node) + 1];
    if (marked && verdict !== "clear" && next) return focus(next);
    return focus(node);
  }

  function undo() {
    page.announce(text(marks.undo() ? "undone" : "nothing.undone"));
  }

  function view(at) {
    document.querySelectorAll("#views a")[at]?.click();
  }

  const PLAIN = {
    u: undo,
    w: () => page.dialogs.marks(),
    o: () => current()?.querySelector("a[href^='#group/']")?.click(),
    "/": () => document.querySelector("#filter-folder")?.focus(),
    "?": () => page.dialogs.help(),
  };

  function actionOf(event) {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key in ARROWS) return () => go(ARROWS[key]);
    if (key in VERDICTS) return () => mark(VERDICTS[key]).catch?.(page.fail);
    if (/^[1-7]$/.test(key)) return () => view(Number(key) - 1);
    return PLAIN[key];
  }

  const writes = (node) => node.closest("input, select, textarea, summary, [contenteditable]") !== null;

  function pressed(event) {
    if (page.dialogs.isOpen() || writes(event.target)) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
      event.preventDefault();
      return undo();
    }
    if (event.ctrlKey || event.metaKey || event.altKey || !areOn()) return;
    const action = actionOf(event);
    const scrolls = event.key in ARROWS && items().length === 0;
    if (!action || scrolls) return;
    event.preventDefault();
    action();
  }

  function listen() {
    document.addEventListener("keydown", pressed);
    document.addEventListener("focusin", (event) => {
      last = event.target.closest("[data-item]") || last;
    });
    document.addEventListener("click", (event) => {
      const node = event.target.closest("[data-item]");
      if (node && !event.target.closest("a, button, summary, input, select")) focus(node);
    });
  }

  page.keys = { listen, enter, current, undo, areOn, turn };
})(facesieve);
