// The charts above the table. They are drawn in percentages and pixels, so that text has the same size on every screen.

const PLOT_HEIGHT = 96;

// Exactly 0 and exactly 1 have bins of their own, because most rewards are one of the two.
const NO_NUMBER = 0;
const ZERO = 1;
const ONE = 12;

function binOf(value) {
  if (value === null) return NO_NUMBER;
  if (value === 0) return ZERO;
  if (value === 1) return ONE;
  return 2 + Math.min(9, Math.floor(value * 10));
}

function binName(bin) {
  if (bin === NO_NUMBER) return "no number";
  if (bin === ZERO) return "0";
  if (bin === ONE) return "1";
  return `${((bin - 2) / 10).toFixed(1)} to ${((bin - 1) / 10).toFixed(1)}`;
}

function binTick(bin) {
  if (bin === NO_NUMBER) return "none";
  if (bin === ZERO || bin === ONE) return binName(bin);
  return bin === 2 ? "<.1" : `.${bin - 2}`;
}

function binTone(bin) {
  if (bin === NO_NUMBER) return "none";
  if (bin === ZERO) return "bad";
  return bin === ONE ? "good" : "fair";
}

/** Returns how many of the tests at `indices` fall into each bin. */
function binCounts(values, indices) {
  const counts = new Uint32Array(ONE + 1);
  for (const index of indices) counts[binOf(values[index])]++;
  return counts;
}

/**
 * Returns the histogram of rewards.
 * totals: tests in each bin; counts: tests in each bin that pass the other filters; chosen: the bin to filter by.
 */
function histogram(totals, counts, chosen, choose) {
  const bins = [...totals.keys()].filter((bin) => bin !== NO_NUMBER || totals[bin]);
  const highest = Math.max(1, ...totals);
  const step = 100 / bins.length;
  const column = (bin, place) => {
    const left = place * step + step * 0.08;
    const rect = (count, kind) => {
      const height = count ? Math.max(2, PLOT_HEIGHT * count / highest) : 0;
      return makeSvg("rect", { class: kind, x: `${left}%`, width: `${step * 0.84}%`, y: 16 + PLOT_HEIGHT - height, height, rx: 2 });
    };
    const middle = `${(place + 0.5) * step}%`;
    const top = 16 + PLOT_HEIGHT - Math.max(counts[bin] ? 2 : 0, PLOT_HEIGHT * counts[bin] / highest) - 4;
    return clickable(() => choose(bin === chosen ? null : bin),
      makeSvg("g", {
        class: `bin ${binTone(bin)}`, role: "button", tabindex: "0", "aria-pressed": String(bin === chosen),
        "aria-label": `Reward ${binName(bin)}: ${counts[bin]} of ${counted(totals[bin], "test")}`,
      },
      makeSvg("title", null, `Reward ${binName(bin)}: ${counted(totals[bin], "test")}`),
      makeSvg("rect", { class: "target", x: `${place * step}%`, width: `${step}%`, y: 0, height: PLOT_HEIGHT + 36 }),
      rect(totals[bin], "total"), rect(counts[bin], "selected"),
      counts[bin] ? makeSvg("text", { class: "amount", x: middle, y: top }, counts[bin].toLocaleString("en")) : null,
      makeSvg("text", { class: "tick", x: middle, y: PLOT_HEIGHT + 31 }, binTick(bin))));
  };
  return makeSvg("svg", { class: "histogram", width: "100%", height: PLOT_HEIGHT + 36, role: "group", "aria-label": "Distribution of rewards" },
    bins.map(column), makeSvg("line", { class: "axis", x1: "0%", x2: "100%", y1: PLOT_HEIGHT + 16.5, y2: PLOT_HEIGHT + 16.5 }));
}

/** Makes an SVG element with the role of a button work as one. */
function clickable(act, element) {
  element.addEventListener("click", act);
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    act();
  });
  return element;
}

/** Returns the means of the groups on a scale from 0 to 1. Each group is a button that filters by it. */
function groupChart(groups, chosen, choose) {
  return make("div", { class: "groups" }, groups.map((group, index) => {
    const tests = counted(group.tests, "test") + (group.unscored ? `, ${group.unscored} unscored` : "");
    const interval = group.low === null ? "" : `interval ${shown(group.low)} to ${shown(group.high)}, `;
    return make("button", {
      type: "button", class: "group", title: tests, "aria-pressed": String(index === chosen),
      "aria-label": `${plain(group.name) || "no group"}: mean ${shown(group.mean)}, ${interval}${tests}`,
      click: () => choose(index === chosen ? null : index),
    },
    make("span", { class: "name" }, labels.group(group.name || "no group")), meanMark(group),
    make("span", { class: "number" }, shown(group.mean)),
    make("span", { class: "aside" }, (group.tests - group.unscored).toLocaleString("en"), group.unscored ? `/${group.tests.toLocaleString("en")}` : null));
  }));
}

function meanMark({ mean, low, high, baseline }) {
  const at = (value) => `${value * 100}%`;
  return makeSvg("svg", { class: "mean", width: "100%", height: 18, "aria-hidden": "true" },
    makeSvg("line", { class: "axis", x1: 0, x2: "100%", y1: 9, y2: 9 }),
    low === null ? null : makeSvg("line", { class: "interval", x1: at(low), x2: at(high), y1: 9, y2: 9 }),
    baseline === null ? null : makeSvg("line", { class: "before", x1: at(baseline), x2: at(baseline), y1: 2, y2: 16 }),
    mean === null ? null : makeSvg("circle", { class: "point", cx: at(mean), cy: 9, r: 4.5 }));
}

/** Returns a line chart of values from 0 to 1, the oldest first; null is a gap. */
function trend(points, height) {
  const top = 18;
  const bottom = height - 22;
  const x = (place) => `${(place + 0.5) / points.length * 100}%`;
  const y = (value) => bottom - value * (bottom - top);
  const known = points.map((point, place) => ({ ...point, place })).filter(({ value }) => value !== null && value !== undefined);
  const last = known.at(-1);
  const dots = known.map((point) => makeSvg("circle", { class: point === last ? "point last" : "point", cx: x(point.place), cy: y(point.value), r: point === last ? 4.5 : 3.5 },
    makeSvg("title", null, `${plain(point.label)}: ${shown(point.value)}`)));
  const lines = known.slice(1).map((point, place) => makeSvg("line", { class: "trend-line", x1: x(known[place].place), y1: y(known[place].value), x2: x(point.place), y2: y(point.value) }));
  const amount = ({ place, value }) => makeSvg("text", { class: "amount", x: x(place), y: y(value) - 9 }, shown(value));
  const tick = (place, anchor) => makeSvg("text", { class: "tick", x: place ? "100%" : 0, y: height - 5, "text-anchor": anchor }, plain(points[place].label));
  return makeSvg("svg", { class: "trend", width: "100%", height, role: "img", "aria-label": points.map(({ label, value }) => `${plain(label)}: ${shown(value)}`).join(", ") },
    [0, 1].map((value) => makeSvg("line", { class: "axis", x1: 0, x2: "100%", y1: y(value), y2: y(value) })),
    lines, dots, points.length <= 12 ? known.map(amount) : [known[0], last].map(amount),
    tick(0, "start"), points.length > 1 ? tick(points.length - 1, "end") : null);
}

const PHASES = 6;

/** Returns a bar with a legend that shows how an attempt spent its time. */
function timingChart(timings) {
  const total = timings.reduce((sum, [, seconds]) => sum + seconds, 0) || 1;
  let start = 0;
  const pieces = timings.map(([, seconds], index) => {
    const piece = makeSvg("rect", { class: `phase-${index % PHASES}`, x: `${start / total * 100}%`, width: `${seconds / total * 100}%`, y: 0, height: 10 });
    start += seconds;
    return piece;
  });
  return make("div", { class: "timings" },
    makeSvg("svg", { width: "100%", height: 10, "aria-hidden": "true" }, pieces),
    make("dl", null, timings.map(([name, seconds], index) => make("div", null,
      make("dt", null, make("span", { class: `swatch phase-${index % PHASES}`, "aria-hidden": "true" }), visible(name)),
      make("dd", null, duration(seconds))))));
}
