// The page: files in, a verdict out. What it found last is in `sluisVerdict`, for programs that drive it.

const INPUTS = [
  { name: "bundle", multiple: false, accept: ".sluis-evidence,.sluis-receipt" },
  { name: "policy", multiple: false, accept: "" },
  { name: "roots", multiple: true, accept: ".pem,.crt,.cer,.der" },
];

const state = {
  language: (navigator.language ?? "nl").startsWith("en") ? "en" : "nl",
  files: { bundle: [], policy: [], roots: [] },
  date: "",
  key: "",
  verdict: null,
  round: 0,
};

function word(pair) {
  return pair[state.language === "nl" ? 1 : 0];
}

/** Takes files for one of the three places; `null` lets the files themselves say which. */
async function takeFiles(list, place) {
  for (const file of list) {
    if (file.size > LARGEST_BUNDLE) {
      show(make("p.alarm", { role: "alert" }, word(PAGE_WORDS.toobig)));
      return;
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    const held = state.files[place ?? placeByContent(file.name, bytes)];
    const multiple = held === state.files.roots;
    if (!multiple) held.length = 0;
    const before = held.findIndex((one) => one.name === file.name);
    held.splice(before < 0 ? held.length : before, before < 0 ? 0 : 1, { name: file.name, bytes, digest: hex(await sha256(bytes)) });
  }
  renderInputs();
  await judge();
}

function placeByContent(name, bytes) {
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 64));
  if (start.startsWith("PK") || /\.sluis-/.test(name)) return "bundle";
  if (start.includes("-----BEGIN") || bytes[0] === SEQUENCE) return "roots";
  return "policy";
}

/** The date of verifying, in milliseconds: what was typed, or now. */
function dateOfVerifying() {
  const typed = state.date === "" ? NaN : Date.parse(`${state.date}Z`);
  return BigInt(Number.isNaN(typed) ? Date.now() : typed);
}

async function judge() {
  const [bundle] = state.files.bundle;
  state.round += 1;
  const { round } = state;
  globalThis.sluisVerdict = null;
  state.verdict = null;
  if (bundle === undefined) {
    status("");
    return show();
  }
  const at = dateOfVerifying();
  const trust = { policy: state.files.policy[0]?.bytes ?? null, policyKey: state.key.trim(), roots: state.files.roots, at };
  const verdict = await verify(bundle.bytes, trust, (number) => {
    if (round === state.round) status(`${word(PAGE_WORDS.working)}: ${number}. ${word(TITLES[number - 1])}`, false);
  });
  if (round !== state.round) return undefined;
  state.verdict = { ...verdict, at };
  showVerdict();
  globalThis.sluisVerdict = plainVerdict(verdict);
  return undefined;
}

/** Said to everybody while it works, and to screen readers when it is done: then the banner says it to the others. */
function status(text, done = true) {
  const line = document.getElementById("status");
  line.textContent = text;
  line.classList.toggle("unseen", done);
}

function show(...views) {
  document.getElementById("verdict").replaceChildren(...views);
}

function showVerdict() {
  const { outcome, checks, reason, case: c } = state.verdict;
  const { word: title, meaning } = VERDICTS[outcome];
  status(word(title));
  document.getElementById("verdict").dataset.outcome = outcome;
  const banner = make("header.banner", { "data-outcome": outcome, tabindex: "-1", id: "banner" },
    sign(outcome),
    make("div", {}, make("h2", {}, word(title)), make("p", {}, word(meaning)), reason ? make("p.reason", {}, plain(reason)) : null),
    make("button.print", { type: "button", click: () => globalThis.print() }, word(PAGE_WORDS.print)));
  const list = make("section.checks", { "aria-labelledby": "checks-title" },
    make("h2", { id: "checks-title" }, word(PAGE_WORDS.checks)),
    make("ol", {}, ...checks.map(checkView)));
  const story = c ? new Story(c, outcome, state.language) : null;
  show(...[banner, story?.brief(), checks.length > 0 ? list : null, story?.view(), filesView()].filter((view) => view));
}

function checkView(check) {
  const lines = check.lines.slice(0, 64).map((line) => make("li", { "data-outcome": line.outcome }, plain(word([line.en, line.nl]))));
  if (check.lines.length > 64) lines.push(make("li", {}, `+ ${check.lines.length - 64}`));
  return make("li.check", { "data-outcome": check.outcome },
    sign(check.outcome),
    make("div", {},
      make("h3", {}, `${check.number}. ${word(TITLES[check.number - 1])}`, make("span.outcome", {}, word(OUTCOMES[check.outcome]))),
      lines.length > 0 ? make("ul", {}, ...lines) : null));
}

/** Which files the verdict rests on, by their digests: so a printed page can be held against them. */
function filesView() {
  const rows = INPUTS.flatMap(({ name }) =>
    state.files[name].map((file) => make("tr", {}, make("th", { scope: "row" }, word(PAGE_WORDS[name])), make("td", {}, plain(file.name)), make("td", {}, make("code", {}, file.digest)))));
  return make("section.files", { "aria-labelledby": "files-title" },
    make("h2", { id: "files-title" }, word(PAGE_WORDS.files)),
    make("div.wide", {}, make("table", {}, make("thead", {}, make("tr", {}, make("td"), make("td"), make("th", { scope: "col" }, "SHA-256"))), make("tbody", {}, ...rows))),
    make("p.quiet", {}, `${word(PAGE_WORDS.judged)} ${moment(state.verdict.at)}`));
}

/** The three places for files, made once: what has the focus stays where it is. */
function makeInputs() {
  const cards = INPUTS.map(({ name, multiple, accept }) => {
    const input = make("input", {
      type: "file", id: `file-${name}`, "aria-describedby": `hint-${name}`, multiple: multiple ? "" : null, accept: accept || null,
      change: (event) => takeFiles([...event.target.files], name),
    });
    // Choosing the same file again has to count as a choice.
    input.addEventListener("click", () => (input.value = ""));
    return make("div.card", { id: `card-${name}` },
      make("label", { for: `file-${name}`, "data-word": name }),
      make("p.hint", { id: `hint-${name}`, "data-word": `${name}Hint` }),
      make("ul.held", { id: `held-${name}` }),
      make("div.choose", {}, input, make("span", { "aria-hidden": "true", "data-word": "choose" })));
  });
  document.getElementById("inputs").replaceChildren(...cards);
}

function renderInputs() {
  for (const { name } of INPUTS) {
    const held = state.files[name];
    const files = held.map((file) =>
      make("li", {}, make("span.name", {}, plain(file.name)), make("button", { type: "button", "aria-label": `${word(PAGE_WORDS.remove)}: ${file.name}`, click: () => removeFile(name, file) }, "×")));
    document.getElementById(`card-${name}`).dataset.full = held.length > 0 ? "yes" : "no";
    document.getElementById(`held-${name}`).replaceChildren(...(files.length > 0 ? files : [make("li.quiet", {}, word(PAGE_WORDS.none))]));
  }
}

function removeFile(name, file) {
  state.files[name] = state.files[name].filter((one) => one !== file);
  renderInputs();
  document.getElementById(`file-${name}`).focus();
  judge();
}

/** Everything that depends on the language. */
function render() {
  document.documentElement.lang = state.language;
  document.title = word(PAGE_WORDS.title);
  for (const place of document.querySelectorAll("[data-word]")) place.textContent = word(PAGE_WORDS[place.dataset.word]);
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === state.language));
  }
  renderInputs();
  if (state.verdict !== null && state.files.bundle.length > 0) showVerdict();
}

function begin() {
  makeInputs();
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => {
      state.language = button.dataset.language;
      render();
    });
  }
  for (const [id, field] of [["date", "date"], ["key", "key"]]) {
    document.getElementById(id).addEventListener("change", (event) => {
      state[field] = event.target.value;
      judge();
    });
  }
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dragging");
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) document.body.classList.remove("dragging");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dragging");
    takeFiles(event.dataTransfer.files, null);
  });
  render();
  if (!globalThis.crypto?.subtle) show(make("p.alarm", { role: "alert" }, word(PAGE_WORDS.insecure)));
}

/** For programs: the verdict over bytes, without the page. `at` in milliseconds, or `null` for no date of verifying. */
async function verdictOf(bundle, policy, roots, at, policyKey = "") {
  return plainVerdict(await verify(bundle, { policy, policyKey, roots, at: at === null ? null : BigInt(at) }));
}

globalThis.sluisVerdict = null;
globalThis.sluis = Object.freeze({
  Wrong, verdictOf, included, consistent, leafHash, openNote, verifierKey, readNote, readCheckpoint, ed25519, fromHex, timestampOf, readCertificates, readPolicies,
});
begin();
