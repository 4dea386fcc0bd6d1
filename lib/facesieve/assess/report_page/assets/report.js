// The start: the frame of the page, its views by address, language and theme.
"use strict";

(function (page) {
  const { el, text, number, marks } = page;
  const VIEWS = ["sound", "trust", "queue", "people", "pairs", "changes", "judged"];
  const THEMES = ["auto", "light", "dark"];
  const NAMES = { en: "English", zh: "中文" };
  const LANGUAGES = { en: "en", zh: "zh-CN" };
  let drawing = 0;

  function remembered(name, allowed, otherwise) {
    try {
      const value = localStorage.getItem(`facesieve:${name}`);
      return allowed.includes(value) ? value : otherwise;
    } catch {
      return otherwise;
    }
  }

  function remember(name, value) {
    try {
      localStorage.setItem(`facesieve:${name}`, value);
    } catch {
      page.announce(text("not.stored"));
    }
  }

  /** Says something to those who listen, and shows it for a moment. */
  page.announce = (words) => {
    const place = document.querySelector("#said");
    if (!place) return;
    place.textContent = "";
    requestAnimationFrame(() => {
      place.textContent = words;
    });
  };

  /** Shows what went wrong in place of what could not be shown. */
  page.fail = (problem) => {
    const place = document.querySelector("main") || document.body;
    place.append(el("p", { class: "problem", role: "alert" }, problem.message));
  };

  function language() {
    const wanted = navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
    page.language = remembered("language", page.languages(), wanted);
    document.documentElement.lang = LANGUAGES[page.language] || page.language;
  }

  function theme() {
    const chosen = remembered("theme", THEMES, "auto");
    document.documentElement.setAttribute("data-theme", chosen);
    return chosen;
  }

  function chooser(name, choices, chosen, change) {
    const options = choices.map(([value, words]) => el("option", { value, selected: value === chosen }, words));
    return el(
      "label",
      { class: "chooser" },
      el("span", { class: "hidden" }, text(name)),
      el("select", { id: name, onchange: (event) => change(event.target.value) }, options),
    );
  }

  function chooseLanguage(value) {
    remember("language", value);
    frame();
    document.querySelector("#language").focus();
  }

  function chooseTheme(value) {
    remember("theme", value);
    theme();
    page.plots.redraw();
  }

  function viewLink(name) {
    const count = {
      queue: page.summary.queue.entries,
      people: page.summary.groups.entries,
      pairs: page.summary.pairs.entries,
    }[name];
    const shown = count === undefined ? null : el("span", { class: "count" }, number(count));
    return el(
      "li",
      null,
      el("a", { href: `#${name}`, "data-view": name }, el("span", null, text(`nav.${name}`)), shown),
    );
  }

  function marksButton() {
    const count = el("span", { id: "mark-count", class: "count" }, number(marks.count()));
    return el(
      "button",
      { type: "button", id: "marks", class: "primary", onclick: () => page.dialogs.marks() },
      text("marks.button"),
      " ",
      count,
    );
  }

  function header() {
    const languages = page.languages().map((each) => [each, NAMES[each] || each]);
    const themes = THEMES.map((each) => [each, text(`theme.${each}`)]);
    const undo = el("button", { type: "button", id: "undo", onclick: page.keys.undo }, text("undo"));
    const help = el(
      "button",
      { type: "button", id: "help", "aria-label": text("help"), onclick: page.dialogs.help },
      "?",
    );
    const run = el(
      "p",
      { class: "run" },
      el("a", { href: "#sound", class: "brand" }, "facesieve"),
      el("span", { title: page.moment(page.summary.ended) }, page.summary.run),
    );
    return el(
      "header",
      { class: "top-bar" },
      run,
      el(
        "div",
        { class: "tools" },
        undo,
        marksButton(),
        chooser("language", languages, page.language, chooseLanguage),
        chooser("theme", themes, theme(), chooseTheme),
        help,
      ),
    );
  }

  function notice() {
    if (!page.summary.pictures) return null;
    const shown = page.summary.blur ? "notice.blur" : "notice";
    return el(
      "aside",
      { "aria-label": text("notice.title"), class: "notice" },
      el("strong", null, text("notice.title")),
      " ",
      text(shown),
    );
  }

  /** Makes the whole frame anew, in the language that is chosen. */
  function frame() {
    language();
    const skip = el("a", { href: "#main", class: "skip", onclick: skipTo }, text("skip"));
    const nav = el("nav", { id: "views", "aria-label": text("views") }, el("ol", null, VIEWS.map(viewLink)));
    const said = el("p", { id: "said", role: "status", class: "toast" });
    document.body.replaceChildren(
      skip,
      header(),
      notice() || "",
      el("div", { class: "page" }, nav, el("main", { id: "main", tabindex: "-1" })),
      said,
    );
    show();
  }

  function skipTo(event) {
    event.preventDefault();
    document.querySelector("main").focus();
  }

  function decoded(part) {
    try {
      return decodeURIComponent(part);
    } catch {
      return "";
    }
  }

  /** The parts of the address: `#group/group-f1?page=2`. */
  function address() {
    const [route, query] = location.hash.slice(1).split("?");
    const [view, argument] = route.split("/");
    const known = Object.hasOwn(page.views, view) ? view : "sound";
    return { view: known, argument: decoded(argument || ""), params: new URLSearchParams(query || "") };
  }

  function current(view) {
    const shown = view === "group" ? "people" : view;
    document.querySelectorAll("#views a").forEach((link) => {
      if (link.getAttribute("data-view") === shown) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    });
    document.title = `${text(`nav.${shown}`)} · ${page.summary.run} · facesieve`;
  }

  /** Shows the view that the address names; one that is overtaken by another is thrown away. */
  async function show() {
    const { view, argument, params } = address();
    const turn = (drawing += 1);
    const main = el("main", { id: "main", tabindex: "-1", "data-view": view, "aria-busy": "true" });
    document.querySelector("main").replaceWith(main);
    current(view);
    try {
      await page.views[view](main, params, argument);
    } catch (problem) {
      if (turn === drawing) page.fail(problem);
    }
    if (turn !== drawing) return;
    main.removeAttribute("aria-busy");
    page.evidence.refreshAll();
    page.keys.enter();
    if (page.focusAfter) document.querySelector(page.focusAfter)?.focus();
    page.focusAfter = null;
  }

  function moved() {
    window.scrollTo(0, 0);
    show().then(() => {
      if (document.activeElement === document.body) document.querySelector("main h1")?.focus({ preventScroll: true });
    });
  }

  function marked() {
    const count = document.querySelector("#mark-count");
    if (count) count.textContent = number(marks.count());
    page.evidence.refreshAll();
  }

  async function start() {
    language();
    theme();
    page.summary = await page.load("summary");
    marks.open();
    marks.listen(marked);
    page.keys.listen();
    window.addEventListener("hashchange", moved);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", page.plots.redraw);
    frame();
  }

  start().catch(page.fail);
})(facesieve);
