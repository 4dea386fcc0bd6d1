// What a person decided on this page: kept in the browser, undone step by step.
"use strict";

(function (page) {
  const UNDO_STEPS = 500;
  const listeners = [];
  let state = { marks: {}, undo: [], saved: null };
  let stored = true;

  const keyOf = (run) => `facesieve:${run}`;

  function read() {
    try {
      const text = localStorage.getItem(keyOf(page.summary.run));
      if (text) state = { ...state, ...JSON.parse(text) };
    } catch {
      stored = false;
    }
  }

  function write() {
    try {
      localStorage.setItem(keyOf(page.summary.run), JSON.stringify(state));
    } catch {
      stored = false;
    }
    listeners.forEach((listener) => listener());
  }

  /** Opens the marks of the run of the summary; another window's marks arrive as they are made. */
  function open() {
    read();
    window.addEventListener("storage", (event) => {
      if (event.key !== keyOf(page.summary.run)) return;
      state = { marks: {}, undo: [], saved: null };
      read();
      listeners.forEach((listener) => listener());
    });
  }

  const imageKey = (imageId) => `image:${imageId}`;
  const pairKey = (pair) => `pair:${[...pair].sort().join(":")}`;

  function put(key, mark) {
    if (mark) state.marks[key] = mark;
    else delete state.marks[key];
  }

  /** Changes marks by key in one step, which is undone as one. */
  function change(changes) {
    const before = Object.keys(changes).map((key) => [key, state.marks[key] ?? null]);
    state.undo = [...state.undo, before].slice(-UNDO_STEPS);
    Object.entries(changes).forEach(([key, mark]) => put(key, mark));
    write();
  }

  const instant = () => new Date().toISOString().replace(/\.\d+Z$/, "Z");

  /** Marks images: keep, drop, or move with the name of a folder. */
  function markImages(ids, verdict, movedTo) {
    const at = instant();
    change(
      Object.fromEntries(ids.map((id) => [imageKey(id), { verdict, image_id: id, moved_to: movedTo ?? null, at }])),
    );
  }

  /** Marks two images as of the same person, or of different people. */
  function markPair(pair, verdict) {
    const [first, second] = [...pair].sort();
    change({ [pairKey(pair)]: { verdict, image_a: first, image_b: second, at: instant() } });
  }

  function clear(keys) {
    const marked = keys.filter((key) => state.marks[key]);
    if (marked.length) change(Object.fromEntries(marked.map((key) => [key, null])));
  }

  /** Takes the last mark back; says whether there was one. */
  function undo() {
    const step = state.undo.pop();
    if (!step) return false;
    step.forEach(([key, mark]) => put(key, mark));
    write();
    return true;
  }

  function saved() {
    state.saved = instant();
    write();
  }

  const all = () => Object.values(state.marks).sort((one, other) => one.at.localeCompare(other.at));

  page.marks = {
    open,
    undo,
    clear,
    saved,
    markImages,
    markPair,
    imageKey,
    pairKey,
    of: (key) => state.marks[key] ?? null,
    entries: () => Object.entries(state.marks),
    images: () => all().filter((mark) => mark.image_id),
    pairs: () => all().filter((mark) => mark.image_a),
    count: () => Object.keys(state.marks).length,
    savedAt: () => state.saved,
    areStored: () => stored,
    listen: (listener) => listeners.push(listener),
  };
})(facesieve);
