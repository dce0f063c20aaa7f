// What a bundle tells, for people: which letters there were, to whom, and when at the latest. Only of bundles in which nothing is wrong.

const OWN_WORDS = new Set(["event", "stream", "seq", "prev", "recorded_at", "secret_commitment", "party_prev", "batch", "root", "about", "bundle"]);

class Story {
  constructor(c, outcome, language) {
    this.c = c;
    this.outcome = outcome;
    this.language = language;
  }

  word(pair) {
    return pair[this.language === "nl" ? 1 : 0];
  }

  /** What a reader looks for first: to whom, and when at the latest. */
  brief() {
    const own = this.c.records.filter((record) => record.stream === this.c.own);
    const opened = own.find((record) => record.kind === 2);
    const about = (name) => opened?.values.get(name) ?? null;
    const facts = ["resource", "category", "attribution"].filter((name) => about(name) !== null).flatMap((name) => this.fact(FIELD_WORDS[name], this.translated(name, about(name))));
    const rows = own.filter((record) => MILESTONES.has(record.event)).map((record) => make("tr", {},
      make("td", {}, this.eventWord(record)),
      make("td", {}, plain(record.values.get("party_name") ?? "-")),
      make("td", { class: record.upper ? "moment" : "moment missing" }, ...(record.upper ? [moment(record.upper), make("span.local", {}, localMoment(record.upper, this.language))] : [this.word(PAGE_WORDS.unproven)]))));
    if (facts.length === 0 && rows.length === 0) return null;
    const heads = [PAGE_WORDS.happened, PAGE_WORDS.toWhom, PAGE_WORDS.atLatest].map((pair) => make("th", { scope: "col" }, this.word(pair)));
    return make("section.brief", { "aria-labelledby": "brief-title" },
      make("h2", { id: "brief-title" }, this.word(PAGE_WORDS.brief)),
      make("dl.facts", {}, ...facts),
      rows.length > 0 ? make("div.wide", {}, make("table", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows))) : null);
  }

  /** A letter that was held back did not leave by this record, and that is said: it only lay there. */
  eventWord(record) {
    const known = Object.hasOwn(EVENTS, record.event) && record.event !== "held";
    const word = known ? this.word(EVENTS[record.event]) : plain(record.event);
    const text = record.values.get("text");
    const held = LETTERS.has(record.event) && typeof text === "string" && text.startsWith("held: ");
    return held ? `${word}, ${this.word(EVENTS.held)}` : word;
  }

  translated(name, text) {
    const known = VALUE_WORDS[name];
    return known && Object.hasOwn(known, text) ? this.word(known[text]) : plain(text);
  }

  view() {
    const { c } = this;
    const own = c.records.filter((record) => record.stream === c.own);
    const others = c.records.filter((record) => record.stream !== c.own);
    const lead = this.outcome === "proven" ? PAGE_WORDS.storyLead : PAGE_WORDS.storyLeadIncomplete;
    return make("section.story", { "aria-labelledby": "story-title" },
      make("h2", { id: "story-title" }, this.word(PAGE_WORDS.story)),
      make("p.lead", {}, this.word(lead)),
      make("dl.facts", {},
        ...this.fact(PAGE_WORDS.log, c.bundle.origin),
        ...this.fact(PAGE_WORDS.caseName, c.own),
        ...this.fact(PAGE_WORDS.made, moment(BigInt(Date.parse(c.bundle.made))))),
      make("ol.steps", {}, ...own.map((record) => this.record(record))),
      others.length > 0 ? make("h3.others", {}, this.word(PAGE_WORDS.belongs)) : null,
      others.length > 0 ? make("ol.steps", {}, ...others.map((record) => this.record(record))) : null,
      this.reports());
  }

  fact(pair, value) {
    return [make("dt", {}, this.word(pair)), make("dd", {}, plain(value))];
  }

  record(record) {
    const kind = KIND_WORDS[record.kind];
    return make("li.step", {},
      make("h3", {}, make("span.number", {}, `${record.seq}`), this.eventWord(record), make("span.kind", {}, this.word(kind))),
      this.times(record),
      this.fields(record.values, fieldsOf(record.kind), record.openings, record.recorded));
  }

  /** When it was recorded: proven bounds first, the sender's own clock after them. */
  times(record) {
    const line = (pair, time, kind) =>
      make(`div.${kind}`, {}, make("dt", {}, this.word(pair)), make("dd", {}, make("span", {}, moment(time)), " ", make("span.local", {}, `(${localMoment(time, this.language)})`)));
    const upper = record.upper ?? null;
    const lower = record.lower ?? null;
    return make("dl.times", {},
      upper === null ? make("div.missing", {}, make("dt", {}, this.word(PAGE_WORDS.atLatest)), make("dd", {}, this.word(PAGE_WORDS.unproven))) : line(PAGE_WORDS.atLatest, upper, "proven"),
      lower === null ? null : line(PAGE_WORDS.notBefore, lower, "proven"),
      line(PAGE_WORDS.own, record.recorded, "claimed"));
  }

  fields(values, fields, openings, recorded) {
    const rows = [];
    let hidden = 0;
    fields.forEach(([name], ordinal) => {
      const opening = openings[ordinal];
      if (opening.form === HIDDEN && !OWN_WORDS.has(name)) hidden += 1;
      if (OWN_WORDS.has(name)) return;
      const label = FIELD_WORDS[name] ?? [name, name];
      if (opening.form === ERASED) rows.push(make("dt", {}, this.word(label)), make("dd.erased", {}, this.word(PAGE_WORDS.erased)));
      const value = values.get(name);
      if (value !== undefined && value !== null) rows.push(make("dt", {}, this.word(label)), make("dd", {}, this.value(name, value, opening, recorded)));
    });
    if (hidden > 0) rows.push(make("dt.quiet", {}, this.word(PAGE_WORDS.hidden)), make("dd.quiet", {}, `${hidden}`));
    return rows.length > 0 ? make("dl.fields", {}, ...rows) : null;
  }

  /** How long after a claimed moment it was recorded, and how old the source of an attribution was then. */
  distance(name, time, recorded) {
    const words = { occurred_at: PAGE_WORDS.later, attribution_checked: PAGE_WORDS.older }[name];
    if (words === undefined || recorded === undefined || recorded - time <= TOLERANCE) return null;
    return make("span.quiet", {}, `; ${this.word(words).replace("{}", duration(recorded - time, this.language))}`);
  }

  value(name, value, opening, recorded) {
    if (opening.form === ATTACHED || name === "content") return make("span", {}, `${value.length} bytes`);
    switch (opening.type) {
      case TIME:
        return make("span", {}, `${moment(value)} `, make("span.local", {}, `(${localMoment(value, this.language)})`), this.distance(name, value, recorded));
      case NUMBER:
        return make("span", {}, `${value}`);
      case BYTES:
      case DIGEST:
        return make("code", {}, hex(value.subarray(0, 36)));
      case LIST:
        return make("ul.quoted", {}, ...value.slice(0, 200).map((one) => make("li", { dir: "ltr" }, this.translated(name, one))));
      default:
        return make("span.quoted", { dir: "ltr" }, this.translated(name, value.slice(0, 20000)));
    }
  }

  reports() {
    const { reports } = this.c;
    if (reports.length === 0) return null;
    const most = 200;
    const views = reports.slice(0, most).map((report) =>
      make("li.step", {}, make("h3", {}, make("span.number", {}, `${report.index}`)), this.fields(report.values, REPORT_FIELDS, report.openings)));
    return make("section", { "aria-labelledby": "reports-title" },
      make("h2", { id: "reports-title" }, this.word(PAGE_WORDS.reports)),
      make("ol.steps", {}, ...views),
      reports.length > most ? make("p.quiet", {}, `+ ${reports.length - most}`) : null);
  }
}
