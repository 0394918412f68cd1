// The page: what is filtered, sorted and open, and the controls that change it.

const overview = JSON.parse(document.getElementById("overview").textContent);
const run = overview.table;
const size = Number(document.currentScript.dataset.block);
const byId = (id) => document.getElementById(id);
const everyTest = run.id.map((_, index) => index);
const totals = binCounts(run.value, everyTest);
// A group's index in the chart is not its index in the table: the chart may leave groups out or sort them.
const groupPlaces = overview.groups.map((group) => run.group.names.indexOf(group.name));

const labels = {
  name: labelsOf(run.id.map((id) => splitId(id)[1])), file: labelsOf(run.id.map((id) => splitId(id)[0])),
  group: labelsOf(overview.groups.map((group) => group.name)),
};

const state = { words: [], verdicts: new Set(), outcome: null, change: null, group: null, bin: null, column: COLUMNS[0], down: false, open: null };

// ---- the head

const GATE_TONES = { passed: "good", failed: "bad", undecided: "fair", "not asked": "none", waiting: "none" };

function drawHead() {
  document.title = plain(overview.title);
  byId("title").replaceChildren(...visible(overview.title));
  byId("gates").append(...overview.gates.map((gate) => make("li", { class: `gate ${GATE_TONES[gate.state]}` },
    make("strong", null, visible(gate.name), ` ${gate.state}`), make("span", null, visible(gate.reason)))));
  byId("gates").hidden = !overview.gates.length;
  byId("figures").append(...overview.figures.map((figure) => make("div", { class: figure.tone },
    make("dt", null, visible(figure.label)), make("dd", null, make("span", { class: "value" }, visible(figure.value)),
      figure.note ? make("span", { class: "note" }, visible(figure.note)) : null))));
  byId("circumstances").append(...overview.inSight.map((fact) => make("span", null, visible(fact))));
  byId("circumstances").hidden = !overview.inSight.length;
  byId("notes").append(...[
    overview.models.length ? make("details", { open: true }, make("summary", null, "Models"), modelTable(),
      overview.modelDifferences.map((text) => make("p", { class: "note" }, visible(text)))) : null,
    listNote(overview.missing, overview.missingCount, "collected test", "never ran to an end", "bad"),
    listNote(overview.gone.map(([id]) => id), overview.goneCount, "test", "only in the baseline", "fair"),
    listNote(overview.leftOut, overview.leftOutCount, "file", "left out of the history", "fair"),
    overview.facts.length ? make("details", null, make("summary", null, "About this run"),
      make("dl", { class: "facts" }, overview.facts.map(([name, fact]) => make("div", null, make("dt", null, visible(name)), make("dd", null, visible(fact)))))) : null,
  ].filter(Boolean));
}

function modelTable() {
  const [head, ...rows] = overview.models;
  return make("div", { class: "wide", tabindex: "0", role: "group", "aria-label": "Models side by side" }, make("table", { class: "figures-of" },
    make("thead", null, make("tr", null, head.map((name) => make("th", { scope: "col" }, visible(name))))),
    make("tbody", null, rows.map(([name, ...cells]) => make("tr", null, make("th", { scope: "row" }, visible(name)), cells.map((cell) => make("td", null, visible(cell))))))));
}

function listNote(names, count, noun, what, tone) {
  if (!count) return null;
  return make("details", { class: tone }, make("summary", null, `${counted(count, noun)} ${what}`),
    make("ul", null, names.map((name) => make("li", null, visible(name))), count > names.length ? make("li", null, `and ${count - names.length} more`) : null));
}

// ---- filters

const haystacks = run.id.map((id, index) => `${id}\n${run.group.names[run.group.rows[index]]}\n${run.why[index]}`.toLowerCase());

/** Whether the test at `index` passes all filters except the histogram's. */
function matches(index) {
  return (!state.verdicts.size || state.verdicts.has(run.verdict.rows[index])) &&
    (state.group === null || run.group.rows[index] === state.group) &&
    (state.outcome === null || run.outcome.rows[index] === state.outcome) &&
    (state.change === null || run.change.rows[index] === state.change) &&
    state.words.every((word) => haystacks[index].includes(word));
}

let order = everyTest;

function applySort() {
  order = sorted(run, state.column, state.down);
}

/** Updates the whole page to the current state. */
function applyFilters() {
  const matching = order.filter(matches);
  const shownTests = state.bin === null ? matching : matching.filter((index) => binOf(run.value[index]) === state.bin);
  drawCharts(binCounts(run.value, matching));
  table.show(shownTests, state.column, state.down);
  const every = shownTests.length === everyTest.length;
  byId("count").textContent = every ? counted(everyTest.length, "test") : `${shownTests.length.toLocaleString("en")} of ${counted(everyTest.length, "test")}`;
  byId("clear").hidden = every;
  for (const chip of byId("verdicts").children) chip.setAttribute("aria-pressed", String(state.verdicts.has(Number(chip.dataset.verdict))));
  for (const select of byId("selects").querySelectorAll("select[data-filter]")) select.value = state[select.dataset.filter] ?? "";
}

function drawCharts(counts) {
  const focused = focusPlace();
  const charts = [make("figure", null, make("figcaption", null, make("h2", null, "Rewards"), make("span", { class: "note" }, "0 and 1 stand apart")),
    histogram(totals, counts, state.bin, (bin) => { state.bin = bin; applyFilters(); }))];
  if (overview.groups.length > 1)
    charts.push(make("figure", null,
      make("figcaption", null, make("h2", null, `Mean by ${overview.groupedBy}`), overview.interval ? make("span", { class: "note" }, visible(overview.interval)) : null),
      groupChart(overview.groups, groupPlaces.indexOf(state.group), (place) => { state.group = place === null ? null : groupPlaces[place]; applyFilters(); })));
  if (overview.history.length) charts.unshift(meansChart());
  const scroll = byId("charts").querySelector(".groups")?.scrollTop ?? 0;
  byId("charts").replaceChildren(...charts);
  const groups = byId("charts").querySelector(".groups");
  if (groups) groups.scrollTop = scroll;
  if (focused >= 0) chartButtons()[focused]?.focus({ preventScroll: true });
}

/** Returns this run's mean beside the means of earlier runs. */
function meansChart() {
  const whole = overview.history.filter(([, mean]) => mean !== null);
  const points = [...whole, ["this run", overview.mean]].map(([label, value]) => ({ label, value }));
  return make("figure", null,
    make("figcaption", null, make("h2", null, "Mean over time"), make("span", { class: "note" }, `${counted(overview.history.length, "earlier run")}`)),
    whole.length ? trend(points, PLOT_HEIGHT + 36) : make("p", { class: "note" }, "None of them ran all tests."));
}

// Charts are redrawn when a filter changes. The focus stays where it was.
function chartButtons() {
  return [...byId("charts").querySelectorAll("button, [role=button]")];
}

function focusPlace() {
  return chartButtons().indexOf(document.activeElement);
}

function drawFilters() {
  const counts = new Map();
  for (const verdict of run.verdict.rows) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  byId("verdicts").append(...[...counts].sort((a, b) => b[1] - a[1]).map(([verdict, count]) => make("button", {
    type: "button", class: `chip ${toneOf(run.verdict.names[verdict])}`, "data-verdict": verdict, "aria-pressed": "false",
    click: () => { if (!state.verdicts.delete(verdict)) state.verdicts.add(verdict); applyFilters(); },
  }, words(run.verdict.names[verdict]), " ", make("span", { class: "amount" }, count.toLocaleString("en")))));
  byId("selects").append(...[
    selectOf("group", `Every ${overview.groupedBy}`, run.group, "no group"),
    selectOf("outcome", "Every outcome", run.outcome, "no outcome"),
    selectOf("change", "Every change", run.change, "none"),
    sortSelect(),
  ].filter(Boolean));
}

function selectOf(filter, every, column, nameless) {
  if (!column || column.names.length < 2) return null;
  const places = [...column.names.keys()].sort((a, b) => (column.names[a] < column.names[b] ? -1 : 1));
  return make("select", {
    "data-filter": filter, "aria-label": every,
    change: (event) => { state[filter] = event.target.value === "" ? null : Number(event.target.value); applyFilters(); },
  }, make("option", { value: "" }, every), places.map((place) => make("option", { value: place }, plain(column.names[place]) || nameless)));
}

// A phone has no room for the headings.
function sortSelect() {
  return make("select", {
    class: "sort", "aria-label": "Sort",
    change: (event) => { state.column = columns[Number(event.target.value)]; state.down = Boolean(state.column.down); applySort(); applyFilters(); },
  }, columns.map((column, place) => make("option", { value: place }, `By ${column.title.toLowerCase()}`)));
}

function clearFilters() {
  Object.assign(state, { words: [], verdicts: new Set(), outcome: null, change: null, group: null, bin: null });
  byId("search").value = "";
  applyFilters();
}

// ---- the table and the panel

const used = {
  group: overview.groupedBy === "group" && run.group.names.some(Boolean), change: Boolean(run.change),
  why: run.why.some(Boolean), attempts: run.attempts.some((count) => count > 1), seconds: run.seconds.some((seconds) => seconds !== null),
};
const columns = COLUMNS.filter(({ key }) => used[key] ?? true);

const table = new Table(byId("tests"), run, columns, openTest, (column) => {
  state.down = state.column === column ? !state.down : Boolean(column.down);
  state.column = column;
  applySort();
  applyFilters();
});

const blocks = new Map();

/** Returns a test's details; undefined while the page is still being read. */
function detailsOf(index) {
  const number = Math.floor(index / size);
  if (!blocks.has(number)) {
    const element = byId(`details-${number}`);
    if (!element || (!element.nextElementSibling && document.readyState === "loading")) return undefined;
    // Only one block is kept, to save memory.
    blocks.clear();
    blocks.set(number, JSON.parse(element.textContent));
  }
  return blocks.get(number)[index % size];
}

function openTest(index, withFocus) {
  const test = detailsOf(index);
  if (!test) {
    addEventListener("DOMContentLoaded", () => openTest(index, withFocus), { once: true });
    return;
  }
  state.open = index;
  const panel = byId("detail");
  panel.replaceChildren(...detailOf(rowOf(run, index), test, panelButtons()).filter(Boolean));
  table.keepInPlace(() => {
    panel.hidden = false;
    document.body.classList.add("reading");
  });
  panel.scrollTop = 0;
  history.replaceState(null, "", `#${encodeURIComponent(run.id[index].toWellFormed())}`);
  if (withFocus) panel.querySelector("h2").focus({ preventScroll: true });
  table.reveal(index);
}

function panelButtons() {
  const button = (label, text, act) => make("button", { type: "button", class: "quiet", "aria-label": label, title: label, click: act }, text);
  return make("div", { class: "buttons" },
    button("Previous test", "\u2191", () => table.step(-1)), button("Next test", "\u2193", () => table.step(1)), button("Close", "\u00d7", closeTest));
}

function closeTest() {
  if (state.open === null) return;
  state.open = null;
  table.keepInPlace(() => {
    byId("detail").hidden = true;
    document.body.classList.remove("reading");
  });
  byId("detail").replaceChildren();
  history.replaceState(null, "", "#");
  table.focus();
}

/** Opens the test that the address names, for example after a click on a link. */
function openNamed() {
  let name;
  try {
    name = decodeURIComponent(location.hash.slice(1));
  } catch {
    return;
  }
  const index = name ? run.id.findIndex((id) => id.toWellFormed() === name) : -1;
  if (index < 0 || index === state.open) return;
  if (!table.reveal(index)) {
    clearFilters();
    table.reveal(index);
  }
  openTest(index, true);
}

// ---- light and dark

const THEMES = ["auto", "light", "dark"];

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  byId("theme").replaceChildren(`Theme: ${theme}`);
}

// The browser may refuse to store anything for a local file.
function stored(action) {
  try {
    return action(localStorage);
  } catch {
    return null;
  }
}

// ---- wiring

setTheme(THEMES.find((theme) => theme === stored((storage) => storage.getItem("rewardkit-theme"))) ?? "auto");
byId("theme").addEventListener("click", () => {
  const next = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length];
  setTheme(next);
  stored((storage) => storage.setItem("rewardkit-theme", next));
});
byId("search").addEventListener("input", (event) => {
  state.words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  applyFilters();
});
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("clear").addEventListener("click", clearFilters);
byId("tests").addEventListener("moved", (event) => { if (state.open !== null) openTest(event.detail, false); });
addEventListener("hashchange", openNamed);
addEventListener("beforeprint", () => {
  const closed = [...byId("notes").children].filter((note) => !note.open);
  for (const note of closed) note.open = true;
  addEventListener("afterprint", () => { for (const note of closed) note.open = false; }, { once: true });
});
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches?.("input, select");
  if (event.key === "Escape" && typing && event.target.value) return;
  if (event.key === "Escape") closeTest();
  else if (!typing && event.key === "/") byId("search").focus();
  else if (!typing && event.key === "j") table.step(1);
  else if (!typing && event.key === "k") table.step(-1);
  else return;
  event.preventDefault();
});

drawHead();
drawFilters();
applySort();
applyFilters();
openNamed();
