// Highlights Python code. It runs when code is opened, so that code that nobody opens takes no time.

const PYTHON = new RegExp([
  /(?<comment>#[^\n]*)/,
  /(?<string>(?:\b[rbfut]{1,2})?(?:"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:\\[^]|[^"\\\n])*"?|'(?:\\[^]|[^'\\\n])*'?))/,
  /(?<number>\b(?:0[xob][\da-f_]+|\d[\d_]*(?:\.[\d_]*)?(?:e[+-]?\d+)?j?)|\.\d[\d_]*(?:e[+-]?\d+)?j?)/,
  /(?<decorator>@[\p{L}_][\p{L}\p{N}_.]*)/,
  /(?<name>[\p{L}_][\p{L}\p{N}_]*)/,
].map((pattern) => pattern.source).join("|"), "giu");

const KEYWORDS = new Set(("False None True and as assert async await break case class continue def del elif else except finally for " +
  "from global if import in is lambda match nonlocal not or pass raise return try while with yield").split(" "));
const BUILTINS = new Set(("abs all any bool bytes callable chr dict dir divmod enumerate eval exec filter float format frozenset getattr " +
  "hasattr hash hex id input int isinstance issubclass iter len list map max min next object open ord pow print property range repr " +
  "reversed round set setattr slice sorted staticmethod str sum super tuple type vars zip").split(" "));

/** Returns `code` line by line, each a list of strings and elements. */
function highlighted(code) {
  const lines = [[]];
  const add = (text, kind) => text.split("\n").forEach((piece, index) => {
    if (index) lines.push([]);
    if (piece) lines.at(-1).push(kind ? make("span", { class: kind }, visible(piece)) : visible(piece));
  });
  let end = 0;
  let before = "";
  for (const match of code.matchAll(PYTHON)) {
    add(code.slice(end, match.index), null);
    add(match[0], kindOf(match, before));
    before = match[0];
    end = match.index + match[0].length;
  }
  add(code.slice(end), null);
  return lines;
}

function kindOf({ 0: text, groups }, before) {
  if (groups.name === undefined) return Object.keys(groups).find((kind) => groups[kind] !== undefined);
  if (before === "def" || before === "class") return "defined";
  if (KEYWORDS.has(text)) return "keyword";
  return BUILTINS.has(text) ? "builtin" : null;
}

/** Returns `code` as a block with line numbers. Copying the code leaves them out. */
function codeBlock(code) {
  const lines = highlighted(code.replace(/\n$/, ""));
  return make("pre", { class: "code", tabindex: "0" }, lines.map((line) => make("code", { class: "numbered" }, line, "\n")));
}
