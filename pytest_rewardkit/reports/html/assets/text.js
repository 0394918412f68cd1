// Elements and text. Nothing in this script turns text into markup.

const SVG = "http://www.w3.org/2000/svg";

/** Returns an element. An attribute that is a function is an event listener; one that is null or false is left out. */
function make(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function makeSvg(tag, attributes, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return element;
}

// Characters that are invisible, or change how others look: controls, bidirectional overrides, zero-width characters,
// lone surrogates, separators other than a space. As Python's `not str.isprintable()`, except \n and \t.
const UNSEEN = /(?:[^\P{C}\n\t]|[\p{Zl}\p{Zp}]|(?! )\p{Zs})+/gu;

/** Returns `text` as strings and elements, with an escape for each invisible character. */
function visible(text) {
  const pieces = [];
  let end = 0;
  for (const match of text.matchAll(UNSEEN)) {
    pieces.push(text.slice(end, match.index), make("span", { class: "escape" }, escaped(match[0])));
    end = match.index + match[0].length;
  }
  pieces.push(text.slice(end));
  return pieces;
}

function escaped(text) {
  return Array.from(text, (character) => {
    const code = character.codePointAt(0);
    if (character === "\r") return "\\r";
    if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
    if (code < 0x10000) return `\\u${code.toString(16).padStart(4, "0")}`;
    return `\\U${code.toString(16).padStart(8, "0")}`;
  }).join("");
}

/** Returns `text` as one line of plain text, for titles and labels. */
function plain(text) {
  return text.replace(/\s+/g, " ").replace(UNSEEN, escaped);
}

// Removes a terminal's colours. Other control sequences are shown as escapes.
function withoutColours(text) {
  return text.replace(/\x1b\[[0-9;:]*m/g, "");
}

/** Returns a reward with two decimals. Only exactly 1 becomes 1.00, and only exactly 0 becomes 0.00. */
function shown(value) {
  if (value === null || value === undefined) return "\u2013";
  const text = value.toFixed(2);
  if (text === "1.00" && value < 1) return "0.99";
  if (text === "0.00" && value > 0) return "0.01";
  return text;
}

/** Returns a difference with its sign, with enough decimals to show that it is not 0. */
function signed(difference) {
  const text = [2, 4, 6].map((digits) => Math.abs(difference).toFixed(digits)).find(Number);
  return text === undefined ? "\u00b10" : (difference < 0 ? "\u2212" : "+") + text;
}

function duration(seconds) {
  if (seconds < 0.9995) return `${(seconds * 1000).toFixed(0)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

function counted(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

// Few colours, each with one meaning. Any other verdict is a failure.
const TONES = new Map([["passed", "good"], ["partial", "fair"], ["unscored", "none"], ["crashed", "none"], ["", "none"]]);

function toneOf(verdict) {
  return TONES.get(verdict) ?? "bad";
}

function words(verdict) {
  return plain(verdict.replaceAll("_", " "));
}

/** Returns the reward as a bar. It is decoration, because the number is beside it. */
function bar(value, verdict) {
  const element = make("span", { class: `bar ${toneOf(verdict)}`, "aria-hidden": "true" });
  if (value !== null && value !== undefined) element.style.setProperty("--value", value);
  return element;
}

function badge(verdict) {
  return make("span", { class: `verdict ${toneOf(verdict)}` }, words(verdict));
}
