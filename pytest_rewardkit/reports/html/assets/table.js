// The table of tests. Only the visible rows exist. All rows have the same height, so that their positions are known.

const AROUND = 12;
const PRINTED = 1000;

// Columns by key: heading, sort key of a test (number or text), and whether the first click sorts in descending order.
const COLUMNS = [
  { key: "value", title: "Reward", by: (run, i) => run.value[i] ?? -1 },
  { key: "verdict", title: "Verdict", by: (run, i) => run.verdict.names[run.verdict.rows[i]] },
  { key: "id", title: "Test", by: (run, i) => run.id[i] },
  { key: "group", title: "Group", by: (run, i) => run.group.names[run.group.rows[i]] },
  { key: "why", title: "Why", by: (run, i) => run.why[i] },
  { key: "change", title: "Change", by: (run, i) => (run.value[i] ?? 0) - (run.baseline[i] ?? run.value[i] ?? 0) },
  { key: "attempts", title: "Attempts", by: (run, i) => run.attempts[i], down: true },
  { key: "seconds", title: "Time", by: (run, i) => run.seconds[i] ?? -1, down: true },
];

/** Returns line `index` of the run's columns. */
function rowOf(run, index) {
  const named = (column) => column ? column.names[column.rows[index]] : "";
  return {
    id: run.id[index], value: run.value[index], verdict: named(run.verdict), outcome: named(run.outcome), group: named(run.group),
    why: run.why[index], seconds: run.seconds[index], attempts: run.attempts[index], baseline: run.baseline?.[index], change: named(run.change),
  };
}

/** Returns all tests sorted by `column`; equal ones stay in the order of collection. */
function sorted(run, column, down) {
  const keys = run.id.map((_, index) => column.by(run, index));
  const sign = down ? -1 : 1;
  return run.id.map((_, index) => index).sort((a, b) => (keys[a] < keys[b] ? -sign : keys[a] > keys[b] ? sign : a - b));
}

class Table {
  #element; #run; #columns; #open; #sort;
  #body = make("tbody", { role: "rowgroup" });
  #heads = new Map();
  #order = [];
  #drawn = "";
  #active = -1;
  #whole = false;

  /**
   * columns: the keys of `COLUMNS` to show; open(index, byKey): called when a test is chosen; sort(column): called when
   * a heading is chosen.
   */
  constructor(element, run, columns, open, sort) {
    this.#element = element;
    this.#run = run;
    this.#columns = columns;
    this.#open = open;
    this.#sort = sort;
    const heading = make("tr", { role: "row", "aria-rowindex": "1" }, columns.map((column) => this.#heading(column)));
    element.append(make("thead", { role: "rowgroup" }, heading), this.#body);
    element.addEventListener("click", (event) => {
      const position = Number(event.target.closest("tbody tr[data-position]")?.dataset.position ?? -1);
      if (position >= 0) this.choose(position, false);
    });
    element.addEventListener("keydown", (event) => this.#key(event));
    const redraw = () => requestAnimationFrame(() => this.#draw());
    addEventListener("scroll", redraw, { passive: true });
    addEventListener("resize", redraw);
    new ResizeObserver(redraw).observe(element);
    addEventListener("beforeprint", () => this.#print(true));
    addEventListener("afterprint", () => this.#print(false));
  }

  /** Shows the tests at `order`, sorted by `column`. */
  show(order, column, down) {
    const active = this.#order[this.#active];
    this.#order = order;
    this.#active = order.indexOf(active);
    this.#element.setAttribute("aria-rowcount", order.length + 1);
    for (const [key, head] of this.#heads) head.setAttribute("aria-sort", key !== column.key ? "none" : down ? "descending" : "ascending");
    this.#drawn = "";
    this.#draw();
  }

  /** Makes the test at `index` the active one. Returns false if it is not shown. */
  reveal(index) {
    const position = this.#order.indexOf(index);
    this.#activate(position, true);
    return position >= 0;
  }

  /** Opens the test that is `by` rows below the active one. */
  step(by) {
    if (this.#order.length) this.choose(Math.max(0, Math.min(this.#order.length - 1, this.#active + by)), true);
  }

  choose(position, byKey) {
    this.#activate(position);
    this.#open(this.#order[position], byKey);
  }

  /** Calls `act`, which changes the layout, and scrolls so that the visible rows keep their position. */
  keepInPlace(act) {
    const top = this.#body.getBoundingClientRect().top;
    act();
    scrollBy(0, this.#body.getBoundingClientRect().top - top);
  }

  focus() {
    this.#element.focus({ preventScroll: true });
  }

  #heading(column) {
    const head = make("th", { role: "columnheader", scope: "col", class: `col-${column.key}`, "aria-sort": "none" },
      make("button", { type: "button", click: () => this.#sort(column) }, column.title));
    this.#heads.set(column.key, head);
    return head;
  }

  get #rowHeight() {
    return parseFloat(getComputedStyle(this.#element).getPropertyValue("--row"));
  }

  #key(event) {
    if (event.target !== this.#element) return;
    const page = Math.max(1, Math.floor(innerHeight / this.#rowHeight) - 3);
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in moves) this.#move(moves[event.key]);
    else if ((event.key === "Enter" || event.key === " ") && this.#active >= 0) this.#open(this.#order[this.#active], true);
    else return;
    event.preventDefault();
  }

  #move(by) {
    if (!this.#order.length) return;
    this.#activate(this.#active < 0 && Number.isFinite(by) ? 0 : Math.max(0, Math.min(this.#order.length - 1, this.#active + by)));
    this.#element.dispatchEvent(new CustomEvent("moved", { detail: this.#order[this.#active] }));
  }

  /** `centred`: scroll a row that is not visible to the middle, not only to the edge. */
  #activate(position, centred = false) {
    this.#active = position;
    this.#drawn = "";
    if (position >= 0) {
      const height = this.#rowHeight;
      const top = this.#body.getBoundingClientRect().top + position * height;
      const head = this.#element.tHead.offsetHeight;
      const outside = top < head ? top - head : Math.max(0, top + height - innerHeight);
      if (outside) scrollBy(0, centred ? top - innerHeight / 2 : outside);
    }
    this.#draw();
  }

  #print(whole) {
    this.#whole = whole;
    this.#drawn = "";
    this.#draw();
  }

  #draw() {
    const height = this.#rowHeight;
    const above = -this.#body.getBoundingClientRect().top;
    const clamp = (position) => Math.max(0, Math.min(this.#order.length, position));
    const first = this.#whole ? 0 : clamp(Math.floor(above / height) - AROUND);
    const last = this.#whole ? clamp(PRINTED) : clamp(Math.ceil((above + innerHeight) / height) + AROUND);
    if (this.#drawn === `${first} ${last}`) return;
    this.#drawn = `${first} ${last}`;
    const rows = this.#order.slice(first, last).map((index, offset) => this.#row(index, first + offset));
    const after = this.#whole ? 0 : this.#order.length - last;
    this.#body.replaceChildren(spacer(first * height), ...rows, spacer(after * height));
    if (this.#active >= first && this.#active < last) this.#element.setAttribute("aria-activedescendant", `test-${this.#active}`);
    else this.#element.removeAttribute("aria-activedescendant");
    const rest = document.getElementById("rest");
    rest.hidden = !this.#whole || this.#order.length <= last;
    rest.textContent = `${counted(this.#order.length - last, "more test")} not printed.`;
  }

  #row(index, position) {
    const row = rowOf(this.#run, index);
    return make("tr", {
      role: "row", id: `test-${position}`, "data-position": position, "aria-rowindex": position + 2,
      "aria-selected": String(position === this.#active), class: position % 2 ? "odd" : null,
    }, this.#columns.map(({ key }) => make("td", { role: "gridcell", class: `col-${key}` }, CELLS_OF[key](row))));
  }
}

const CELLS_OF = {
  value: (row) => [make("span", { class: "number" }, shown(row.value)), bar(row.value, row.verdict)],
  verdict: (row) => badge(row.verdict),
  id: (row) => {
    const [file, name] = splitId(row.id);
    return [make("span", { class: "name", title: plain(row.id) }, labels.name(name)), make("span", { class: "file", title: plain(file) }, labels.file(file))];
  },
  group: (row) => make("span", { title: plain(row.group) }, labels.group(row.group)),
  why: (row) => make("span", { class: "lines", title: plain(row.why) }, visible(row.why)),
  change: (row) => row.change === "same" ? null : change(row),
  attempts: (row) => row.attempts > 1 ? String(row.attempts) : null,
  seconds: (row) => row.seconds === null ? null : duration(row.seconds),
};

// Takes the space of the rows that do not exist.
function spacer(height) {
  const row = make("tr", { class: "spacer", role: "presentation" });
  row.style.height = `${height}px`;
  return row;
}
