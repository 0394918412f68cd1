// Shortens names that are too long for their space: first the words that all names share, last those that distinguish them.

const TOKEN = /[\p{L}\p{N}\p{M}]{1,16}|[^]/gu;
const ELLIPSIS = "\u2026";
// The lengths to try, one after another, for shared text and for each distinguishing word.
const COMMON = [24, 16, 10, 6, 4, 1, 0];
const TELLING = [10, 8, 6, 5, 4, 3, 2, 1];

/** Returns a function that makes a label for one of `names`. The label shows as much of the name as fits. */
function labelsOf(names) {
  const places = tellingPlaces(names);
  return (name) => {
    const label = make("span", { class: "label" }, visible(name));
    fitted.set(label, { name, pieces: piecesOf(name, places.get(name) ?? []) });
    resized.observe(label);
    return label;
  };
}

const fitted = new WeakMap();
const resized = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const { name, pieces } = fitted.get(target);
    const text = fit(name, pieces, contentRect.width, measureOf(target));
    // Screen readers read the whole name.
    target.replaceChildren(...(text === name ? visible(name) : [make("span", { "aria-hidden": "true" }, visible(text)), make("span", { class: "unseen" }, visible(name))]));
  }
});

const canvas = document.createElement("canvas").getContext("2d");

function measureOf(element) {
  const { fontWeight, fontSize, fontFamily } = getComputedStyle(element);
  return (text) => {
    canvas.font = `${fontWeight} ${fontSize} ${fontFamily}`;
    return canvas.measureText(plain(text)).width;
  };
}

/** Returns as much of `name` as fits into `room`. */
function fit(name, pieces, room, measure) {
  if (measure(name) <= room) return name;
  let text = name;
  for (const common of COMMON) if (measure(text = joined(pieces, common, Infinity)) <= room) return text;
  for (const telling of TELLING) if (measure(text = joined(pieces, 0, telling)) <= room) return text;
  return text;
}

function joined(pieces, common, telling) {
  const texts = pieces.map((piece) => {
    const kept = Math.max(piece.least, piece.least ? telling : common);
    return kept + 1 < piece.text.length ? piece.text.slice(0, kept) + ELLIPSIS : piece.text;
  });
  return texts.join("").replace(/\u2026{2,}/g, ELLIPSIS);
}

/** Returns, for each of `names`, the indices at which it begins to differ from another one. */
function tellingPlaces(names) {
  const ordered = [...new Set(names)].sort();
  const shared = ordered.map((name, index) => (index ? sharedLength(ordered[index - 1], name) : 0));
  const found = new Map(ordered.map((name) => [name, new Set()]));
  // In sorted order, the length that two names share is the minimum of what the neighbours between them share.
  const collect = (from, to, by) => {
    const rising = [];
    for (let index = from; index !== to; index += by) {
      const length = shared[by > 0 ? index : index + 1];
      while (rising.length && rising.at(-1) >= length) rising.pop();
      rising.push(length);
      const places = found.get(ordered[index]);
      for (const place of rising) places.add(place);
    }
  };
  if (ordered.length < 2) return found;
  collect(1, ordered.length, 1);
  collect(ordered.length - 2, -1, -1);
  return found;
}

function sharedLength(left, right) {
  const most = Math.min(left.length, right.length);
  let length = 0;
  while (length < most && left[length] === right[length]) length++;
  return length;
}

/** Returns `name` in pieces: distinguishing words, each with the `least` number of characters to keep, and the rest. */
function piecesOf(name, places) {
  const telling = [...places].sort((a, b) => a - b);
  const pieces = [];
  let next = 0;
  for (const { 0: text, index } of name.matchAll(TOKEN)) {
    const end = index + text.length;
    let least = 0;
    // The end of a name distinguishes it from longer names that begin with it.
    for (; next < telling.length && (telling[next] < end || end === name.length); next++) least = Math.min(telling[next] - index + 1, text.length);
    const last = pieces.at(-1);
    if (last && !last.least && !least) last.text += text;
    else pieces.push({ text, least });
  }
  return pieces;
}
