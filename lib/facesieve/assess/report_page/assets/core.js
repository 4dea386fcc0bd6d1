// The page's ground: elements made without HTML, texts by language, numbers, and data files loaded as scripts.
"use strict";

globalThis.facesieve = (function () {
  const DATA_NAME = /^[\w-]+$/;
  const DATA_KEPT = 60;
  const dictionaries = {};
  const loading = new Map();
  const receivers = new Map();
  const page = { language: "en", summary: null, texts, receive, load, el, text, label, number, percent, time, moment };

  /** Takes the texts of a language: texts.en.js calls it, and a further language is a further file. */
  function texts(language, dictionary) {
    dictionaries[language] = dictionary;
  }

  page.languages = () => Object.keys(dictionaries);

  /** The text of a key with its values filled in; a language that lacks the key speaks English. */
  function text(key, values) {
    const template = (dictionaries[page.language] || {})[key] ?? dictionaries.en[key] ?? key;
    return template.replace(/\{(\w+)\}/g, (whole, name) => String((values || {})[name] ?? whole));
  }

  /** The word for a name of the data (`reason.flip`); a name that has none stands for itself. */
  function label(group, name) {
    const key = `${group}.${name}`;
    return key in dictionaries.en ? text(key) : String(name);
  }

  function set(node, name, value) {
    if (value === null || value === undefined || value === false) return;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") Object.entries(value).forEach(([key, each]) => node.style.setProperty(key, each));
    else node.setAttribute(name, value === true ? "" : String(value));
  }

  /** Makes an element. Children are nodes or texts: what comes from the data never becomes HTML. */
  function el(tag, attributes, ...children) {
    const node = document.createElement(tag);
    Object.entries(attributes || {}).forEach(([name, value]) => set(node, name, value));
    const shown = children.flat(Infinity).filter((each) => each !== null && each !== undefined && each !== false);
    node.append(...shown.map((each) => (each instanceof Node ? each : String(each))));
    return node;
  }

  function locale() {
    return page.language === "zh" ? "zh-CN" : "en-GB";
  }

  /** A number with the digits that matter, or a dash. */
  function number(value, digits) {
    if (value === null || value === undefined) return "–";
    return new Intl.NumberFormat(locale(), { maximumFractionDigits: digits ?? 2 }).format(value);
  }

  function percent(value, digits) {
    if (value === null || value === undefined) return "–";
    return new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: digits ?? 0 }).format(value);
  }

  /** A length of time from seconds. */
  function time(seconds) {
    if (seconds === null || seconds === undefined) return "–";
    if (seconds < 60) return text("time.seconds", { n: number(seconds, 1) });
    if (seconds < 3600) return text("time.minutes", { n: number(seconds / 60, 1) });
    return text("time.hours", { n: number(seconds / 3600, 1) });
  }

  /** A moment in UTC; what is no moment stands for itself. */
  function moment(iso) {
    const date = new Date(iso || "");
    if (Number.isNaN(date.getTime())) return iso || "–";
    const style = { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" };
    return `${new Intl.DateTimeFormat(locale(), style).format(date)} UTC`;
  }

  /** Called by each data file. */
  function receive(name, value) {
    const resolve = receivers.get(name);
    if (resolve) resolve(value);
  }

  /** Loads a data file once: a promise of its content. The oldest files are forgotten when there are many. */
  function load(name) {
    if (!DATA_NAME.test(name)) return Promise.reject(new Error(text("missing", { name })));
    if (!loading.has(name)) loading.set(name, loaded(name));
    if (loading.size > DATA_KEPT) loading.delete(loading.keys().next().value);
    return loading.get(name);
  }

  /** A file that is not there, or that was cut and calls nobody, is a failure. */
  function loaded(name) {
    return new Promise((resolve, reject) => {
      const script = el("script", { src: `data/${name}.js` });
      const end = (result, value) => {
        receivers.delete(name);
        script.remove();
        result(value);
      };
      receivers.set(name, (value) => end(resolve, value));
      const failed = () => {
        if (!receivers.has(name)) return;
        loading.delete(name);
        end(reject, new Error(text("missing", { name })));
      };
      script.addEventListener("error", failed);
      script.addEventListener("load", failed);
      document.head.append(script);
    });
  }

  /** The name of a page of a list: `queue-0001`. */
  page.paged = (kind, at) => `${kind}-${String(at).padStart(4, "0")}`;

  /** Goes through a paged list and yields its items in order. */
  page.items = async function* (kind, field) {
    for (let at = 1; at <= page.summary[kind].pages; at += 1) {
      const content = await load(page.paged(kind, at));
      yield* content[field];
    }
  };

  return page;
})();
