// CSV as the job reads it: parsed, written, and merged with the marks of the page.
"use strict";

(function (page) {
  const OVERRIDES = ["image_id", "verdict", "moved_to", "who", "at", "why"];
  const CONSTRAINTS = ["kind", "image_a", "image_b", "who", "at"];
  const FORMULA = /^'*[=+\-@\t\r]/;
  const NUMBER = /^-?\d+$/;

  /** A cell that a spreadsheet does not run: the job's reader takes the apostrophe away again. */
  function neutral(cell) {
    return FORMULA.test(cell) && !NUMBER.test(cell) ? `'${cell}` : cell;
  }

  /** A cell of a file that was given before: one that has its apostrophe keeps it and gets no second one. */
  function neutralOnce(cell) {
    return cell.startsWith("'") ? cell : neutral(cell);
  }

  function quoted(cell) {
    return /[",;\t\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
  }

  function separatorOf(line) {
    const named = /^"?sep=(.)"?\s*$/i.exec(line);
    if (named) return named[1];
    const often = (sign) => line.split(sign).length;
    return [",", ";", "\t"].reduce((best, sign) => (often(sign) > often(best) ? sign : best));
  }

  /** The cells of a text, row by row. */
  function cells(text, separator) {
    const rows = [[]];
    const pattern = new RegExp(
      `("(?:[^"]|"")*"|[^"\\r\\n\\${separator}][^\\r\\n\\${separator}]*|)(\\${separator}|\\r\\n|\\n|\\r|$)`,
      "gy",
    );
    for (let found = pattern.exec(text); found; found = pattern.exec(text)) {
      const cell = found[1];
      rows.at(-1).push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
      if (found[2] === "") break;
      if (found[2] !== separator) rows.push([]);
    }
    return rows.filter((row) => row.some((cell) => cell.trim()));
  }

  /** A CSV text as columns and rows by column, as `decide.overrides` and `cluster.constraints` read it. */
  function parse(text) {
    const plain = (text || "").replace(/^\ufeff/, "");
    const first = plain.split(/\r?\n/).find((line) => line.trim()) || "";
    const rows = cells(plain, separatorOf(first));
    if (/^"?sep=/i.test(first)) rows.shift();
    const columns = (rows.shift() || []).map((column) => column.trim());
    const named = rows.map((row) => Object.fromEntries(columns.map((column, at) => [column, row[at] ?? ""])));
    return { columns: columns.filter(Boolean), rows: named };
  }

  function write(columns, rows) {
    const lines = rows.map((row) => columns.map((column) => quoted(row[column] ?? "")).join(","));
    return [columns.map(quoted).join(","), ...lines].map((line) => `${line}\r\n`).join("");
  }

  function columnsOf(wanted, before) {
    return [...wanted, ...before.columns.filter((column) => !wanted.includes(column))];
  }

  function carried(row) {
    return Object.fromEntries(Object.entries(row).map(([column, cell]) => [column, neutralOnce(cell)]));
  }

  /**
   * A row by uri and without a date would contradict a mark on the same image, which is known by its id.
   * Such a row was given before the run began: with that date the mark is the later one.
   */
  function dated(row, started) {
    return row.uri && !(row.at || "").trim() ? { ...row, at: started || "" } : row;
  }

  /** overrides.csv: the rows given before without those of marked images, then the marks. */
  function overrides(before, marks, who, started) {
    const given = parse(before);
    const marked = new Set(marks.map((mark) => mark.image_id));
    const byId = (row) => !(row.uri || "").trim() && marked.has((row.image_id || "").trim());
    const old = given.rows.filter((row) => !byId(row)).map((row) => carried(dated(row, started)));
    const rows = marks.map((mark) => ({
      image_id: mark.image_id,
      verdict: mark.verdict,
      moved_to: neutral(mark.moved_to || ""),
      who: neutral(who),
      at: mark.at,
      why: "",
    }));
    return { count: old.length + rows.length, text: write(columnsOf(OVERRIDES, given), [...old, ...rows]) };
  }

  function pairOf(row) {
    return [row.image_a, row.image_b]
      .map((id) => (id || "").trim())
      .sort()
      .join(" ");
  }

  /** constraints.csv: the pairs given before without those that are marked, then the marks. */
  function constraints(before, marks, who) {
    const given = parse(before);
    const marked = new Set(marks.map(pairOf));
    const old = given.rows.filter((row) => !row.image_a || !marked.has(pairOf(row))).map(carried);
    const rows = marks.map((mark) => ({
      kind: mark.verdict === "same" ? "must" : "cannot",
      image_a: mark.image_a,
      image_b: mark.image_b,
      who: neutral(who),
      at: mark.at,
    }));
    const all = [...old, ...rows];
    return { count: all.length, text: write(columnsOf(CONSTRAINTS, given), all), contradictions: contradictions(all) };
  }

  function rootOf(parents, id) {
    let root = id;
    while (parents.has(root) && parents.get(root) !== root) root = parents.get(root);
    return root;
  }

  /** Pairs of images that a chain of `must` joins although a `cannot` parts them: the job would refuse the file. */
  function contradictions(rows) {
    const parents = new Map();
    const pairs = rows.filter((row) => row.image_a && row.image_b);
    for (const row of pairs.filter((each) => each.kind === "must")) {
      parents.set(rootOf(parents, row.image_a), rootOf(parents, row.image_b));
    }
    const joined = (row) => rootOf(parents, row.image_a) === rootOf(parents, row.image_b);
    return pairs.filter((row) => row.kind === "cannot" && joined(row));
  }

  page.csv = { parse, overrides, constraints, neutral };
})(facesieve);
