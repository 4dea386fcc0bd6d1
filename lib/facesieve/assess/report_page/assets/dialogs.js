// The dialogs: help, where an image moves, and what was marked.
"use strict";

(function (page) {
  const { el, text, label, marks } = page;
  const NAMES_SHOWN = 100;
  const KEYS = [
    ["K", "keep"],
    ["D", "drop"],
    ["M", "move"],
    ["S", "same"],
    ["X", "different"],
    ["C", "clear"],
    ["U", "undo"],
    ["← → ↑ ↓", "arrows"],
    ["O", "open"],
    ["/", "filter"],
    ["W", "save"],
    ["1 – 7", "views"],
    ["?", "help"],
  ];

  /** Opens a dialog; it closes by Escape, its button, and a click beside it. */
  function dialog(title, ...content) {
    const close = el("button", { type: "button", class: "close", "aria-label": text("close") }, "✕");
    const head = el("div", { class: "dialog-head" }, el("h2", { id: "dialog-title" }, title), close);
    const node = el("dialog", { "aria-labelledby": "dialog-title" }, head, content);
    close.addEventListener("click", () => node.close());
    node.addEventListener("click", (event) => event.target === node && node.close());
    node.addEventListener("close", () => node.remove());
    document.body.append(node);
    node.showModal();
    return node;
  }

  function help() {
    const rows = KEYS.map(([key, name]) =>
      el("div", null, el("dt", null, el("kbd", null, key)), el("dd", null, text(`key.${name}`))),
    );
    const on = el("input", {
      type: "checkbox",
      id: "keys-on",
      checked: page.keys.areOn(),
      onchange: (event) => page.keys.turn(event.target.checked),
    });
    dialog(
      text("help"),
      el("p", null, text("help.lead")),
      el("dl", { class: "keys" }, rows),
      el("p", null, on, " ", el("label", { for: "keys-on" }, text("keys.on"))),
      el("h3", null, text("help.loop")),
      el("p", null, text("help.loop.says")),
      el("p", { class: "soft" }, text("help.made", { version: page.summary.version })),
    );
  }

  function namesLike(part, names) {
    const wanted = part.toLowerCase();
    const first = names.filter((name) => name.toLowerCase().startsWith(wanted));
    const inside = names.filter(
      (name) => !name.toLowerCase().startsWith(wanted) && name.toLowerCase().includes(wanted),
    );
    return [...first, ...inside].slice(0, NAMES_SHOWN);
  }

  async function folderNames() {
    const names = [];
    for await (const name of page.items("folders", "names")) names.push(name);
    return names;
  }

  function offer(list, input, names) {
    const choose = (name) => () => {
      input.value = name;
      input.focus();
    };
    const fill = (part) => {
      const shown = namesLike(part, names);
      list.replaceChildren(
        ...shown.map((name) =>
          el("li", null, el("button", { type: "button", onclick: choose(name) }, el("bdi", null, name))),
        ),
      );
    };
    input.addEventListener("input", () => fill(input.value));
    fill("");
  }

  /** Asks where an image moves to: resolves to whether it was marked. */
  function askMove(subject) {
    const input = el("input", {
      id: "move-to",
      name: "move-to",
      required: true,
      value: subject.target || "",
      autocomplete: "off",
      "aria-describedby": "move-hint",
    });
    const list = el("ul", { class: "names", "aria-label": text("move.names") });
    const submit = el("button", { type: "submit", class: "primary" }, text("move.do"));
    const form = el(
      "form",
      { method: "dialog", class: "move" },
      el("label", { for: "move-to" }, text("move.to")),
      input,
      submit,
      el("small", { id: "move-hint" }, text("move.hint")),
      list,
    );
    const node = dialog(text("move.title"), form);
    input.select();
    folderNames()
      .then((names) => offer(list, input, names))
      .catch(page.fail);
    return new Promise((resolve) => {
      form.addEventListener("submit", () => {
        marks.markImages(page.evidence.idsOf(subject), "move", input.value.trim());
        page.announce(text("marked", { verdict: label("verdict", "move"), of: subject.title }));
        resolve(true);
      });
      node.addEventListener("close", () => resolve(false));
    });
  }

  function marksDialog() {
    const place = el("div", null, page.saving.content());
    place.addEventListener("click", (event) => {
      const key = event.target.closest("[data-key]")?.getAttribute("data-key");
      if (!key) return;
      marks.clear([key]);
      place.replaceChildren(page.saving.content());
    });
    dialog(text("marks"), place);
  }

  page.askMove = askMove;
  page.dialogs = { help, marks: marksDialog, isOpen: () => document.querySelector("dialog[open]") !== null };
})(facesieve);
