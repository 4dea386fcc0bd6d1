// Lists that grow a step at a time, and their filters, which stand in the address.
"use strict";

(function (page) {
  const { el, text, number } = page;
  const STEP = 30;

  /** A list that grows: cards of the items that fit the filter, a step at a time. */
  function growing(source, fits, make) {
    const list = el("div", { class: "entries" });
    const more = el("button", { type: "button", class: "more", hidden: true }, text("more"));
    const said = el("p", { class: "said", role: "status" });
    const walk = source();
    const state = { shown: 0, seen: 0, next: null };
    const advance = async () => {
      more.hidden = true;
      state.next = await step(walk, fits, state, (item) => list.append(make(item, state.seen)));
      page.evidence.refreshAll();
      more.hidden = state.next === null;
      said.textContent = text(state.next === null ? "list.all" : "list.some", { n: number(state.shown) });
    };
    more.addEventListener("click", () => advance().catch(page.fail));
    return { node: el("div", null, said, list, more), advance };
  }

  /** Shows a step of items and looks one ahead, so that the button stands only where there is more. */
  async function step(walk, fits, state, show) {
    let item = state.next;
    for (let count = 0; count < STEP; count += 1) {
      item ??= await nextFit(walk, fits, state);
      if (item === null) return null;
      state.seen = item.at;
      state.shown += 1;
      show(item.value);
      item = null;
    }
    return nextFit(walk, fits, state);
  }

  async function nextFit(walk, fits, state) {
    for (let turn = await walk.next(); !turn.done; turn = await walk.next()) {
      state.walked = (state.walked || 0) + 1;
      if (fits(turn.value)) return { value: turn.value, at: state.walked };
    }
    return null;
  }

  function option(value, words, chosen) {
    return el("option", { value, selected: value === chosen }, words);
  }

  function select(name, choices, chosen, change) {
    const input = el("select", { id: `filter-${name}`, onchange: (event) => change(name, event.target.value) });
    input.append(
      option("", text(`filter.${name}.all`), chosen || ""),
      ...choices.map(([value, words]) => option(value, words, chosen)),
    );
    return el("label", null, el("span", null, text(`filter.${name}`)), input);
  }

  function search(params, change) {
    const input = el("input", {
      type: "search",
      id: "filter-folder",
      value: params.get("folder") || "",
      onchange: (event) => change("folder", event.target.value.trim()),
    });
    return el("label", null, el("span", null, text("filter.folder")), input);
  }

  function markedChoices() {
    return [
      ["open", text("filter.marked.open")],
      ["marked", text("filter.marked.marked")],
    ];
  }

  /** Changes one part of the address: the view is made anew from the address, so that it survives a reload. */
  function changer(route, params) {
    return (name, value) => {
      if (value) params.set(name, value);
      else params.delete(name);
      const query = params.toString();
      page.focusAfter = `#filter-${name}`;
      location.hash = query ? `${route}?${query}` : route;
    };
  }

  page.lists = { growing, changer, search, select, markedChoices };
})(facesieve);
