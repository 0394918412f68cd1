// The parts of a reward: what each one checked, and where actual and expected values differ.

// With more open parts the panel would open slowly. A click opens the others.
const OPEN_AT_FIRST = 10;

/** Returns the list of `parts`. Those without the full reward are open. */
function partList(parts, leftOut) {
  let room = OPEN_AT_FIRST;
  // Shares are shown only if they differ.
  const total = parts.some((part) => part.weight !== undefined) ? parts.reduce((sum, part) => sum + (part.weight ?? 1), 0) : null;
  return make("div", { class: "parts" },
    parts.map((part) => partItem(part, total, part.value !== 1 && hasMore(part) && room-- > 0, parts[part.stderrOf]?.name)),
    leftOut ? make("p", { class: "note" }, `${counted(leftOut, "more part")} not kept here.`) : null);
}

function hasMore(part) {
  return [part.reason, part.expected, part.actual, part.stderr, part.stderrOf].some((text) => text !== undefined);
}

/** `like`: the name of an earlier part with the same stderr, which is not shown twice. */
function partItem(part, total, open, like) {
  const share = total === null ? null : `${((part.weight ?? 1) / (total || 1) * 100).toFixed(0)} %`;
  const line = [
    make("span", { class: "number" }, shown(part.value)), bar(part.value, part.verdict),
    make("span", { class: "name" }, visible(part.name)),
    part.verdict === "passed" ? null : badge(part.verdict),
    share && make("span", { class: "aside", title: "share of the reward" }, share),
    part.seconds === undefined ? null : make("span", { class: "aside" }, duration(part.seconds)),
  ];
  if (!hasMore(part)) return make("div", { class: "part" }, make("div", { class: "part-line" }, line));
  const item = make("details", { class: "part" }, make("summary", { class: "part-line" }, line));
  const fill = () => { if (item.open && item.childElementCount === 1) item.append(partBody(part, like)); };
  item.addEventListener("toggle", fill);
  item.open = open;
  fill();
  return item;
}

function partBody(part, like) {
  const { expected, actual } = part;
  const body = make("div", { class: "part-body" });
  if (part.reason) body.append(make("p", { class: "reason" }, visible(part.reason)));
  if (part.met) body.append(textBlock("As expected", expected));
  else if (expected !== undefined && actual !== undefined)
    body.append(make("p", { class: "legend" }, make("span", { class: "expected" }, "\u2212 expected"), " ", make("span", { class: "actual" }, "+ actual")), diff(expected, actual));
  else if (expected !== undefined) body.append(textBlock("Expected", expected));
  else if (actual !== undefined) body.append(textBlock("Actual", actual));
  if (part.stderr) body.append(textBlock("stderr", withoutColours(part.stderr)));
  if (part.stderrOf !== undefined) body.append(make("p", { class: "note" }, "the same stderr as ", like === undefined ? "under Output" : ["\u201c", visible(like), "\u201d"]));
  return body;
}

function textBlock(title, text) {
  return make("figure", { class: "text" }, make("figcaption", null, title),
    text === "" ? make("p", { class: "note" }, "nothing") : make("pre", { class: hasColumns(text) ? "columns" : null, tabindex: "0" }, visible(text)));
}

// Lines with columns scroll instead of wrapping, because a wrapped table cannot be read.
function hasColumns(text) {
  return text.split("\n", 50).filter((line) => /\S(?: {2,}|\t| \| )\S/.test(line)).length > 1;
}
