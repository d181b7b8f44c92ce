// Everything the staff pages do in the browser beside htmx: the form token and whose page it is, quiet polls, a lost connection, questions, copying.
"use strict";

const token = document.querySelector('meta[name="csrf-token"]')?.content;
const church = document.querySelector('meta[name="church"]')?.content;
const SAFE = ["get", "head", "options"];

document.addEventListener("htmx:configRequest", (event) => {
  if (church) event.detail.headers["X-Church"] = church;
  if (token && !SAFE.includes(event.detail.verb)) event.detail.headers["X-CSRFToken"] = token;
});

// A hidden tab does not poll; htmx's own trigger filters would need eval, which the page's policy forbids.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.target.closest("[data-poll]")) event.preventDefault();
});

// What went wrong with a part of the page is said below it; the part itself stays as it was.
const said = document.getElementById("said");
const LOST = said?.textContent;
const say = (words) => {
  if (!said) return;
  said.textContent = words;
  said.hidden = !words;
};
document.addEventListener("htmx:sendError", () => say(LOST));
document.addEventListener("htmx:timeout", () => say(LOST));
document.addEventListener("htmx:responseError", (event) => {
  const { status, responseText } = event.detail.xhr;
  if (status >= 500) say(LOST);
  else if (status !== 401) say(responseText);
});
document.addEventListener("htmx:beforeSwap", () => say(""));

// After a swap the first marked mistake has the focus.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.xhr.status === 422) document.querySelector('[aria-invalid="true"], [role="alert"]')?.focus();
});

// One question for every button that carries data-confirm="Title" (data-confirm-text, data-confirm-yes).
const question = document.getElementById("question");

const ask = (asker) => {
  question.querySelector("[data-title]").textContent = asker.dataset.confirm;
  question.querySelector("[data-text]").textContent = asker.dataset.confirmText || "";
  question.querySelector("[data-yes]").textContent = asker.dataset.confirmYes || asker.textContent.trim();
  question.querySelector("[data-yes]").classList.toggle("button-danger", asker.classList.contains("button-danger"));
  question.returnValue = "";
  question.showModal();
  return new Promise((answer) => {
    question.addEventListener("close", () => answer(question.returnValue === "yes"), { once: true });
  });
};

document.addEventListener("submit", async (event) => {
  const asker = event.submitter?.dataset.confirm ? event.submitter : event.target;
  if (!question || !asker.dataset.confirm || asker.dataset.confirmed) return;
  event.preventDefault();
  event.stopPropagation();
  if (!(await ask(asker))) return;
  asker.dataset.confirmed = "yes";
  event.target.requestSubmit(event.submitter);
  delete asker.dataset.confirmed;
}, true);

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const label = button.firstChild;
  const words = label.textContent;
  await navigator.clipboard.writeText(button.dataset.copy);
  label.textContent = "Copied";
  setTimeout(() => { label.textContent = words; }, 2000);
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

// The sheet behind "More" closes like a menu.
document.addEventListener("click", (event) => {
  const sheet = document.querySelector(".bottom-more[open]");
  if (sheet && !sheet.contains(event.target)) sheet.open = false;
});
document.addEventListener("keydown", (event) => {
  const sheet = document.querySelector(".bottom-more[open]");
  if (sheet && event.key === "Escape") {
    sheet.open = false;
    sheet.querySelector("summary").focus();
  }
});

// Lists are walked with j and k; Enter opens, as it does on any link. Never needed, and never while somebody types.
const TYPED_IN = "input, select, textarea, [contenteditable]";

document.addEventListener("keydown", (event) => {
  const step = { j: 1, k: -1 }[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey || event.target.closest(TYPED_IN) || question?.open) return;
  const rows = [...document.querySelectorAll(".row-link")];
  const here = rows.indexOf(document.activeElement);
  rows[Math.max(0, Math.min(rows.length - 1, here + step))]?.focus();
});

// A key that a page offers (aria-keyshortcuts) presses its button; one that several share goes from one to the next. Never needed.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.target.closest(TYPED_IN) || question?.open) return;
  const offered = [...document.querySelectorAll("[aria-keyshortcuts]")].filter((one) => one.getAttribute("aria-keyshortcuts") === event.key);
  if (offered.length === 1) offered[0].click();
  else offered[(offered.indexOf(document.activeElement) + 1) % offered.length]?.focus();
});

// Escape leaves a row that is being changed as it was.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  event.target.closest("form")?.querySelector("[data-cancel]")?.click();
});
