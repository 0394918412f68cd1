// Compares expected and actual text: line by line, and word by word within changed lines.

// The largest table for the longest common subsequence. For more, everything between equal ends counts as changed.
const CELLS = 4_000_000;

/** Returns a longest common subsequence of `left` and `right`, as pairs of indices. */
function common(left, right) {
  let start = 0;
  let endLeft = left.length;
  let endRight = right.length;
  while (start < endLeft && start < endRight && left[start] === right[start]) start++;
  while (endLeft > start && endRight > start && left[endLeft - 1] === right[endRight - 1]) endLeft--, endRight--;
  const pairs = Array.from({ length: start }, (_, i) => [i, i]);
  const rows = endLeft - start;
  const width = endRight - start + 1;
  if ((rows + 1) * width <= CELLS) {
    const lengths = new Uint32Array((rows + 1) * width);
    for (let i = rows - 1; i >= 0; i--)
      for (let j = width - 2; j >= 0; j--)
        lengths[i * width + j] = left[start + i] === right[start + j]
          ? lengths[(i + 1) * width + j + 1] + 1
          : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    for (let i = 0, j = 0; i < rows && j < width - 1; ) {
      if (left[start + i] === right[start + j]) pairs.push([start + i++, start + j++]);
      else if (lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) i++;
      else j++;
    }
  }
  for (let i = 0; endLeft + i < left.length; i++) pairs.push([endLeft + i, endRight + i]);
  return pairs;
}

/** Returns the steps from `left` to `right`: {same: [i, j]} or {removed: [from, to], added: [from, to]}. */
function steps(left, right) {
  const found = [];
  let i = 0;
  let j = 0;
  for (const [nextI, nextJ] of [...common(left, right), [left.length, right.length]]) {
    if (i < nextI || j < nextJ) found.push({ removed: [i, nextI], added: [j, nextJ] });
    if (nextI < left.length) found.push({ same: [nextI, nextJ] });
    i = nextI + 1;
    j = nextJ + 1;
  }
  return found;
}

/** Returns a table of lines that shows how `actual` differs from `expected`. */
function diff(expected, actual) {
  const left = expected.split("\n");
  const right = actual.split("\n");
  const lines = [];
  for (const step of steps(left, right)) {
    if (step.same) {
      lines.push(diffLine("same", left[step.same[0]]));
      continue;
    }
    const removed = left.slice(...step.removed);
    const added = right.slice(...step.added);
    const both = removed.slice(0, added.length).map((line, index) => wordDiff(line, added[index]));
    lines.push(removed.map((line, index) => diffLine("expected", both[index]?.[0] ?? line)));
    lines.push(added.map((line, index) => diffLine("actual", both[index]?.[1] ?? line)));
  }
  return make("div", { class: "diff", role: "group", "aria-label": "Expected against actual" }, lines);
}

const SIGNS = { same: [" ", ""], expected: ["\u2212", "expected: "], actual: ["+", "actual: "] };

function diffLine(kind, content) {
  const [sign, spoken] = SIGNS[kind];
  return make("div", { class: `line ${kind}` },
    make("span", { class: "sign", "aria-hidden": "true" }, sign),
    make("code", null, spoken && make("span", { class: "unseen" }, spoken),
      typeof content === "string" ? visible(content) : content,
      content === "" && kind !== "same" ? make("span", { class: "empty" }, "\u21b5") : null, "\n"));
}

/** Returns both lines as nodes with the changed words marked; null if the lines have little in common. */
function wordDiff(left, right) {
  if (left === "" || right === "") return null;
  const [from, to] = [left, right].map((line) => line.match(/[\p{L}\p{N}_]+|\s+|[^]/gu) ?? []);
  const found = steps(from, to);
  const same = found.reduce((total, step) => total + (step.same ? from[step.same[0]].length : 0), 0);
  if (same * 4 < Math.max(left.length, right.length) && from.length > 1 && to.length > 1) return null;
  const side = (tokens, key, place) => found.map((step) => {
    if (step.same) return visible(tokens[step.same[place]]);
    const changed = tokens.slice(...step[key]).join("");
    return changed && make("mark", null, marked(changed));
  });
  return [side(from, "removed", 0), side(to, "added", 1)];
}

// Otherwise a difference in white space would be invisible.
function marked(text) {
  return /\S/.test(text) ? visible(text) : visible(text.replaceAll(" ", "\u00b7").replaceAll("\t", "\u2192"));
}
