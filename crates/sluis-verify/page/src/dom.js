// Making what is seen. Text becomes text nodes only: nothing of a file is ever read as HTML.

/** An element: `make("p.lead", {title: "…"}, "text", child, …)`. Children that are `null` are left out. */
function make(kind, attributes = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const element = document.createElement(tag);
  if (classes.length > 0) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A sign for an outcome, drawn here so that no font can show another. Screen readers read the word beside it. */
function sign(outcome) {
  const shapes = {
    ok: "M4 10.5l4 4 8-9",
    proven: "M4 10.5l4 4 8-9",
    incomplete: "M10 4v8M10 15.5v.5",
    invalid: "M5 5l10 10M15 5L5 15",
    unreadable: "M5 5l10 10M15 5L5 15",
    usage: "M10 4v8M10 15.5v.5",
    said: "M10 8.5v7M10 4.5v.5",
    skipped: "M5 10h10",
  };
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawing.setAttribute("viewBox", "0 0 20 20");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", shapes[outcome]);
  drawing.append(path);
  return make("span.sign", { "data-outcome": outcome }, drawing);
}
