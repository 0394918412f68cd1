// The panel of one test.

/** Returns the panel's contents. `row` is the test's line in the table, `test` has its details, `buttons` go on top. */
function detailOf(row, test, buttons) {
  const [file, name] = splitId(row.id);
  const body = make("div", { class: "detail-body" });
  const last = test.attempts.length - 1;
  const choose = (number) => {
    for (const [index, button] of tabs.entries()) button.setAttribute("aria-pressed", String(index === number));
    body.replaceChildren(...attemptOf(test.attempts[number], number === last ? row.verdict : null).flat().filter(Boolean));
  };
  const tabs = test.attempts.map((attempt, index) => make("button", {
    type: "button", class: `attempt ${toneOf(attempt.verdict)}`, click: () => choose(index),
    "aria-label": `Attempt ${index + 1}: ${shown(attempt.value)}, ${words(attempt.verdict)}`,
  }, make("span", { class: "aside" }, index + 1), " ", shown(attempt.value)));
  choose(last);
  return [
    make("div", { class: "detail-head" }, buttons,
      make("h2", { tabindex: "-1" }, visible(name)), file ? make("p", { class: "file" }, visible(file)) : null),
    make("div", { class: "outcome" },
      make("span", { class: `reward ${toneOf(row.verdict)}` }, shown(row.value)), bar(row.value, row.verdict), badge(row.verdict), change(row)),
    factList(row, test),
    test.history ? section("Over time", trend([...overview.history.map(([label], place) => ({ label, value: test.history[place] })), { label: "this run", value: row.value }], 90)) : null,
    last ? section(`${counted(last + 1, "attempt")}`, make("div", { class: "attempts" }, tabs)) : null,
    body,
  ];
}

/** Returns the file and the rest of a node id. */
function splitId(id) {
  const at = id.indexOf("::");
  return at < 0 ? ["", id] : [id.slice(0, at), id.slice(at + 2)];
}

const CHANGE_TONES = { better: "good", worse: "bad", lost: "bad" };

function change(row) {
  if (!row.change) return null;
  const delta = row.change !== "same" && typeof row.baseline === "number" && row.value !== null ? ` ${signed(row.value - row.baseline)}` : "";
  return make("span", { class: `change ${CHANGE_TONES[row.change] ?? ""}` }, row.change + delta);
}

function factList(row, test) {
  const found = [
    ["threshold", test.threshold === undefined ? null : shown(test.threshold)],
    ["outcome", outcomeOf(row, test)],
    ["baseline", row.change ? shown(row.baseline) : null],
    [overview.groupedBy, overview.groupedBy === "file" ? null : row.group],
    ["row", test.row],
    ["weight", test.weight],
    ["must pass", test.must_pass ? "yes" : null],
    ...(test.figures ?? []).map(([name, value]) => [name, value === null ? "not defined" : shown(value)]),
  ].filter(([, value]) => value !== null && value !== undefined && value !== "");
  return found.length ? facts(found) : null;
}

function facts(named) {
  return make("dl", { class: "facts" }, named.map(([name, value]) => make("div", { class: String(value).length > 24 ? "long" : null },
    make("dt", null, visible(name)), make("dd", null, visible(String(value))))));
}

/** Returns how the test ended, and why it could pass with a low reward. */
function outcomeOf(row, test) {
  if (row.outcome !== "passed" || row.value === 1) return row.outcome;
  if (test.threshold !== undefined) return row.value === null ? row.outcome : `passed, as its threshold is ${shown(test.threshold)}`;
  return "passed: it has no threshold, so no reward is too low; only an assertion would fail it";
}

/** Returns the steps of an agent or a test in the sandbox; a click opens a step. */
function stepList(steps) {
  return make("ol", { class: "steps" }, steps.map(([kind, given, got]) => make("li", null, make("details", null,
    make("summary", null, make("span", { class: "aside" }, visible(kind)), " ", make("code", null, visible(given.trimStart().split("\n", 1)[0].slice(0, 200)))),
    textBlock("given", given), got ? textBlock("got", withoutColours(got)) : null))));
}

function section(title, ...children) {
  return make("section", null, make("h3", null, title), children);
}

/** Returns one attempt, without what the panel shows elsewhere: the test's own verdict, and a part's reason. */
function attemptOf(attempt, verdict) {
  const code = attempt.candidate;
  const parts = attempt.parts ?? [];
  const reason = parts.some((part) => part.reason === attempt.reason) ? null : attempt.reason;
  return [
    attempt.verdict === verdict ? null : make("p", { class: "outcome small" }, make("span", { class: `reward ${toneOf(attempt.verdict)}` }, shown(attempt.value)), badge(attempt.verdict)),
    reason ? make("p", { class: reason.includes("\n") ? "reason aligned" : "reason" }, visible(reason)) : null,
    parts.length || attempt.left_out ? section(parts.length ? counted(parts.length, "part") : "Parts", partList(parts, attempt.left_out)) : null,
    attempt.images ? section(attempt.images.length > 1 ? "Images" : "Image", attempt.images.map(picture)) : null,
    attempt.prompt || attempt.asked ? section("Model",
      attempt.asked ? facts(attempt.asked) : null, attempt.prompt ? textBlock("prompt", attempt.prompt) : null) : null,
    code === undefined ? null : section("Candidate", code === "" ? make("p", { class: "note" }, "nothing") : codeBlock(code)),
    attempt.stdout === undefined && attempt.stderr === undefined ? null : section("Output",
      attempt.stdout === undefined ? null : textBlock("stdout", withoutColours(attempt.stdout)),
      attempt.stderr === undefined ? null : textBlock("stderr", withoutColours(attempt.stderr))),
    attempt.steps ? section(counted(attempt.steps.length, "step"), stepList(attempt.steps)) : null,
    attempt.timings || attempt.seconds !== undefined ? section("Time",
      attempt.timings ? timingChart(attempt.timings) : null,
      attempt.seconds === undefined ? null : make("p", { class: "note" }, `${duration(attempt.seconds)} in all`)) : null,
    attempt.command ? section("Run it again", make("pre", { class: "command", tabindex: "0" }, visible(attempt.command))) : null,
  ];
}

function picture(image) {
  const name = image.name ? visible(image.name) : null;
  if (image.refused) return make("p", { class: "note" }, name, name ? ": " : null, `not shown: ${image.refused}`);
  return make("figure", { class: "picture" },
    make("img", { src: image.url, alt: plain(image.name || "Picture made by the candidate") }), name ? make("figcaption", null, name) : null);
}
