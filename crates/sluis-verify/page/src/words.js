// What the page says, in English and in Dutch: titles, fixed texts, words of the log, times.

const TITLES = [
  ["the file is whole", "het bestand is heel"],
  ["what is shown is what was sealed", "wat getoond wordt, is wat verzegeld werd"],
  ["records have the form of their kind", "de regels hebben de vorm van hun soort"],
  ["the records are in the log", "de regels staan in het logboek"],
  ["there is one log", "er is één logboek"],
  ["the log is signed", "het logboek is ondertekend"],
  ["witnesses saw it", "getuigen zagen het"],
  ["authorities stamped the time", "tijdstempels van derden"],
  ["the clock of the sender", "de klok van de afzender"],
  ["no record is left out", "er is geen regel weggelaten"],
  ["delivery", "aflevering"],
  ["what was erased", "wat gewist is"],
  ["what is NOT proven", "wat NIET bewezen is"],
];

const NOT_PROVEN = [
  [
    "That what the sender recorded is true. The log proves that the sender claimed it then, and has not changed it since.",
    "Dat waar is wat de afzender vastlegde. Het logboek bewijst dat de afzender het toen beweerde en sindsdien niet veranderde.",
  ],
  [
    "That a letter was read, or reached a person. How well its delivery is proven stands at 11; where the sender's own record is the only proof, it is the sender who says so.",
    "Dat een brief gelezen is of een mens bereikte. Hoe goed de aflevering bewezen is, staat bij 11; waar alleen de eigen administratie van de afzender het bewijs is, zegt alleen de afzender het.",
  ],
  [
    "That the report was right: that there was abuse, and that the party held the address. What the attribution rests on is the sender's statement.",
    "Dat de melding klopte: dat er misbruik was, en dat de partij het adres had. Waar de herleiding op rust, is een verklaring van de afzender.",
  ],
  [
    "When something happened. Proven is when it was recorded at the latest, and not before; when it happened is a claim.",
    "Wanneer iets gebeurde. Bewezen is wanneer het uiterlijk vastgelegd was, en niet eerder dan; wanneer het gebeurde, is een bewering.",
  ],
  [
    "That there is nothing more: later records of this case may exist, also before the checkpoint, or a second version of one that is shown, unless the whole log was looked through (--log); other cases about this party are not covered.",
    "Dat er niet meer is: latere regels van dit dossier kunnen bestaan, ook voor het ijkpunt, of een tweede versie van een die getoond wordt, tenzij het hele logboek doorzocht is (--log); andere dossiers over deze partij vallen hier niet onder.",
  ],
  [
    "That there is one case for one report. A second case about the same report could have been kept, which nobody outside holds a receipt or letter of.",
    "Dat er bij één melding één dossier is. Er kan een tweede dossier over dezelfde melding bijgehouden zijn, waarvan niemand daarbuiten een ontvangstbevestiging of brief heeft.",
  ],
  [
    "That a time-stamp is of a signed log. It proves that this text existed then; the signature is checked apart from it.",
    "Dat een tijdstempel van een ondertekend logboek is. Het bewijst dat deze tekst toen bestond; de handtekening is los daarvan gecontroleerd.",
  ],
  [
    "Anything, if the operator, the witnesses and the authorities that you trust all deceived you together; or if a key of theirs was stolen unnoticed.",
    "Iets, als de beheerder, de getuigen en de instanties die u vertrouwt u samen bedrogen; of als een sleutel van hen ongemerkt gestolen was.",
  ],
];

/** What happened, as people say it. A word that is not here is shown as it stands. */
const EVENTS = {
  opened: ["case opened", "dossier geopend"],
  "holder found": ["holder found", "houder gevonden"],
  "clocks set": ["deadlines set", "termijnen gesteld"],
  "clock shortened": ["deadline shortened", "termijn verkort"],
  "severity raised": ["severity raised", "ernst verhoogd"],
  watched: ["watched, nobody told", "gevolgd, niemand ingelicht"],
  told: ["letter to the party prepared", "brief aan de partij klaargezet"],
  reminded: ["reminder to the party prepared", "herinnering aan de partij klaargezet"],
  warned: ["last warning to the party prepared", "laatste waarschuwing aan de partij klaargezet"],
  held: ["held back", "tegengehouden"],
  overdue: ["deadline passed", "termijn verstreken"],
  "restriction proposed": ["restriction proposed", "beperking voorgesteld"],
  closed: ["case closed", "dossier gesloten"],
  reopened: ["case opened again", "dossier heropend"],
  noted: ["note by a person", "aantekening van een medewerker"],
  handled: ["taken by a person", "in behandeling genomen"],
  merged: ["another case joined", "ander dossier samengevoegd"],
  split: ["reports moved to another case", "meldingen naar een ander dossier"],
  snoozed: ["put off", "uitgesteld"],
  disputed: ["disputed by the party", "betwist door de partij"],
  "dispute decided": ["dispute decided", "over betwisting beslist"],
  "holder changed": ["holder found to be another", "houder blijkt een ander"],
  "holder corrected": ["moved to the right holder", "bij de juiste houder gelegd"],
  confirmed: ["confirmed by a person", "bevestigd door een medewerker"],
  undone: ["undone", "ongedaan gemaakt"],
  withdrawn: ["letter withdrawn", "brief ingetrokken"],
  evidence: ["evidence added", "bewijsstuk toegevoegd"],
  "evidence attached": ["evidence attached by a person", "bewijsstuk toegevoegd door een medewerker"],
  received: ["reports received", "meldingen ontvangen"],
  erased: ["erased", "gewist"],
  issued: ["given out", "verstrekt"],
};

/** Steps that a reader looks for first. */
const MILESTONES = new Set(["opened", "told", "reminded", "warned", "overdue", "restriction proposed", "disputed", "closed", "reopened"]);

/** Words of closed lists, by field. What is not here is the sender's own and is shown as it stands. */
const VALUE_WORDS = {
  attribution: {
    "own contract record": ["own contract record", "eigen contractadministratie"],
    "address registry": ["address registry", "adresregister"],
    "statement of a reseller": ["statement of a reseller", "verklaring van een wederverkoper"],
    unknown: ["unknown", "onbekend"],
  },
  completeness: {
    explanation: ["explanation", "uitleg"],
    location: ["location", "vindplaats"],
    notifier: ["notifier", "melder"],
    "good faith": ["good faith", "goede trouw"],
  },
  what: {
    letter: ["letter", "brief"],
    transcript: ["transcript of the delivery", "verslag van de bezorging"],
    bounce: ["returned as undeliverable", "onbestelbaar retour"],
    reply: ["reply", "reactie"],
    receipt: ["receipt", "ontvangstbewijs"],
  },
  stage: { pending: ["announced", "aangekondigd"], done: ["done", "uitgevoerd"] },
};

const KIND_WORDS = {
  1: ["step", "stap"],
  2: ["case", "dossier"],
  3: ["batch of reports", "reeks meldingen"],
  4: ["evidence", "bewijsstuk"],
  5: ["erasure", "wissing"],
  6: ["bundle given out", "bundel verstrekt"],
};

const FIELD_WORDS = {
  occurred_at: ["happened, as claimed", "gebeurd, naar eigen zeggen"],
  actor: ["by", "door"],
  rule: ["rule", "regel van het beleid"],
  text: ["text", "tekst"],
  due: ["deadline", "termijn"],
  party: ["party (identifier)", "partij (kenmerk)"],
  party_name: ["party", "partij"],
  party_seq: ["letters to it before", "eerdere brieven aan haar"],
  severity: ["severity", "ernst"],
  resource: ["about", "betreft"],
  category: ["kind of abuse", "soort misbruik"],
  first_seen: ["first seen", "voor het eerst gezien"],
  observed: ["observed", "waargenomen"],
  reporter: ["reporter", "melder"],
  submission: ["submission (SHA-256)", "inzending (SHA-256)"],
  batch_index: ["place in the batch", "plaats in de reeks"],
  chain: ["chain, from the provider down", "keten, vanaf de aanbieder"],
  attribution: ["the holder follows from", "de houder volgt uit"],
  attribution_source: ["source", "herkomst"],
  attribution_checked: ["source last imported", "herkomst laatst ingelezen"],
  completeness: ["the report has", "de melding heeft"],
  count: ["number of reports", "aantal meldingen"],
  format: ["format", "formaat"],
  received: ["received", "ontvangen"],
  rest: ["further", "verder"],
  what: ["what", "wat"],
  media: ["form", "vorm"],
  content: ["attachment", "bijlage"],
  recipient: ["recipient", "ontvanger"],
  message_id: ["Message-ID", "Message-ID"],
  stage: ["stage", "stadium"],
  ground: ["ground", "grond"],
  authority: ["authority", "gezag"],
  keys_until: ["backups of keys end", "reservekopieën van sleutels eindigen"],
  records: ["records", "regels"],
};

const VERDICTS = {
  proven: {
    word: ["Proven", "Bewezen"],
    meaning: [
      "What is shown below was recorded at the times that are proven, and has not been changed since.",
      "Wat hieronder staat, was op de bewezen tijden vastgelegd en is sindsdien niet veranderd.",
    ],
  },
  incomplete: {
    word: ["Incomplete", "Onvolledig"],
    meaning: [
      "This is not proven: something that a proof needs is missing, or does not fit. The checks say what.",
      "Dit is niet bewezen: er ontbreekt iets dat voor bewijs nodig is, of er past iets niet. De controles zeggen wat.",
    ],
  },
  invalid: {
    word: ["Invalid", "Ongeldig"],
    meaning: [
      "Something in this file cannot be true. Nothing in it may be relied upon, so nothing of it is shown.",
      "Iets in dit bestand kan niet waar zijn. Op niets erin mag worden vertrouwd; daarom wordt er niets van getoond.",
    ],
  },
  unreadable: {
    word: ["Unreadable", "Onleesbaar"],
    meaning: [
      "This is not a whole bundle or receipt of Sluis. Ask for the file again.",
      "Dit is geen hele bundel of ontvangstbevestiging van Sluis. Vraag het bestand opnieuw.",
    ],
  },
  usage: {
    word: ["Not judged", "Niet beoordeeld"],
    meaning: [
      "The file that says whom to trust could not be used.",
      "Het bestand dat zegt wie te vertrouwen is, kon niet gebruikt worden.",
    ],
  },
};

const OUTCOMES = {
  ok: ["good", "goed"],
  said: ["note", "ter kennisneming"],
  incomplete: ["incomplete", "onvolledig"],
  invalid: ["invalid", "ongeldig"],
  unreadable: ["unreadable", "onleesbaar"],
  skipped: ["not looked at", "niet bekeken"],
};

const PAGE_WORDS = {
  title: ["Sluis: check evidence", "Sluis: bewijs nakijken"],
  heading: ["Check evidence", "Bewijs nakijken"],
  lead: [
    "Drop a bundle or receipt here, with the policy file and the root certificates that you trust. Everything happens on this computer: this page cannot send anything.",
    "Sleep een bundel of ontvangstbevestiging hierheen, met het beleidsbestand en de stamcertificaten die u vertrouwt. Alles gebeurt op deze computer: deze pagina kan niets versturen.",
  ],
  bundle: ["Bundle or receipt", "Bundel of ontvangstbevestiging"],
  bundleHint: [".sluis-evidence or .sluis-receipt", ".sluis-evidence of .sluis-receipt"],
  policy: ["Policy file", "Beleidsbestand"],
  policyHint: ["whom to trust; not from whoever gave you the bundle", "wie te vertrouwen is; niet van wie u de bundel gaf"],
  roots: ["Time-stamp authorities", "Tijdstempeldiensten"],
  rootsHint: ["their root certificates, .pem or .crt, one file each", "hun stamcertificaten, .pem of .crt, elk een bestand"],
  choose: ["Choose", "Kiezen"],
  remove: ["Remove", "Verwijderen"],
  none: ["none yet", "nog geen"],
  more: ["More options", "Meer mogelijkheden"],
  date: ["Judge as of (UTC; empty: now)", "Beoordeel per (UTC; leeg: nu)"],
  key: ["Key of a policy archive", "Sleutel van een archief van beleidsbestanden"],
  working: ["Checking", "Bezig met nakijken"],
  print: ["Print", "Afdrukken"],
  brief: ["In brief", "In het kort"],
  happened: ["What", "Wat"],
  toWhom: ["Party", "Partij"],
  belongs: ["What belongs to it", "Wat erbij hoort"],
  story: ["All that it says", "Alles wat erin staat"],
  storyLead: [
    "These are the words of the sender. What is proven of them is that they were recorded then.",
    "Dit zijn de woorden van de afzender. Bewezen is daarvan dat ze toen zijn vastgelegd.",
  ],
  storyLeadIncomplete: [
    "These are the words of the sender. Nothing of it is proven as long as something is missing.",
    "Dit zijn de woorden van de afzender. Niets ervan is bewezen zolang er iets ontbreekt.",
  ],
  reports: ["Reports", "Meldingen"],
  checks: ["What was checked", "Wat is nagekeken"],
  files: ["Files used", "Gebruikte bestanden"],
  atLatest: ["recorded at the latest", "uiterlijk vastgelegd"],
  notBefore: ["not before", "niet eerder dan"],
  own: ["own clock", "eigen klok"],
  unproven: ["no time is proven", "geen tijd is bewezen"],
  later: ["recorded {} after that", "{} daarna vastgelegd"],
  older: ["{} before it was recorded", "{} voordat dit werd vastgelegd"],
  hidden: ["not shown in this file", "niet getoond in dit bestand"],
  erased: ["erased", "gewist"],
  record: ["record", "regel"],
  log: ["log", "logboek"],
  made: ["bundle made, as claimed", "bundel gemaakt, naar eigen zeggen"],
  caseName: ["case", "dossier"],
  judged: ["judged as of", "beoordeeld per"],
  toobig: ["This file is too large for this page.", "Dit bestand is te groot voor deze pagina."],
  insecure: [
    "This browser does not let this page compute. Save it on this computer and open it from there.",
    "Deze browser laat deze pagina niet rekenen. Bewaar haar op deze computer en open haar daar.",
  ],
};

/** A moment of milliseconds (BigInt) in UTC, as a verifier's line says it. */
function moment(time) {
  const date = new Date(Number(time));
  return Number.isNaN(date.getTime()) ? `${time} ms` : `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function day(time) {
  return moment(time).slice(0, 10);
}

/** The same in the time of Amsterdam, for people. */
function localMoment(time, language) {
  const date = new Date(Number(time));
  if (Number.isNaN(date.getTime())) return "";
  const form = { dateStyle: "long", timeStyle: "medium", timeZone: "Europe/Amsterdam" };
  return `${new Intl.DateTimeFormat(language === "nl" ? "nl-NL" : "en-GB", form).format(date)}, Amsterdam`;
}

/** A length of time, rounded down to what people say. */
function duration(time, language) {
  const seconds = Number((time < 0n ? -time : time) / 1000n);
  const units = [[86400, "days", "dagen"], [3600, "hours", "uur"], [60, "minutes", "minuten"], [1, "seconds", "seconden"]];
  const [size, en, nl] = units.find(([length]) => seconds >= 2 * length) ?? units.at(-1);
  return `${Math.floor(seconds / size)} ${language === "nl" ? nl : en}`;
}

/** A value of others: what cannot be seen is written out, so that it looks like nothing else. */
function plain(text) {
  return text.normalize("NFC").replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{M}\u115f\u1160\u2800\u3164\uffa0]/gu, (letter) => (letter === "\n" ? letter : `\\u{${letter.codePointAt(0).toString(16)}}`));
}
