// The card in a browser with JavaScript: steps at the tablet, help while typing, and nothing left for the next person to see.
// Without it every step stands on one page and the server says the same things.
"use strict";

document.documentElement.classList.add("js");

const ASK_AFTER_SECONDS = 90;
const CLEAR_AFTER_SECONDS = ASK_AFTER_SECONDS + 20;
const START_AGAIN_AFTER_SECONDS = 30;
const SEND_AGAIN_AFTER_SECONDS = 15;

document.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("card");
  const thanks = document.getElementById("thanks");
  if (form) new Card(form).begin();
  if (thanks) beginThanks(thanks);
});

class Card {
  constructor(form) {
    this.form = form;
    this.sheet = form.closest(".sheet");
    this.atTablet = "tablet" in form.dataset;
    this.kept = "kept" in form.dataset;
    this.touched = false;
    this.sending = false;
    this.problems = new Problems(form);
    this.children = new Children(document.getElementById("children"));
    this.suggestion = new Suggestion(form);
  }

  begin() {
    this.children.begin();
    this.suggestion.begin();
    this.keepAnswersFromTheNextPerson();
    this.form.addEventListener("submit", (event) => this.submit(event));
    this.problems.summary.addEventListener("click", (event) => this.goToProblem(event));
    if (this.atTablet) this.beginSteps();
    if (this.problems.any()) this.problems.summary.focus();
  }

  // What was typed

  keepAnswersFromTheNextPerson() {
    for (const kind of ["keydown", "pointerdown"]) addEventListener(kind, () => (this.touched = true), { once: true, capture: true });
    // Without this a reload would send the typed answers again, also when it is the next person who reloads.
    if (this.kept) history.replaceState(null, "", location.href);
    else this.clear();
    addEventListener("pagehide", () => this.clear());
    addEventListener("pageshow", (event) => {
      if (event.persisted || !(this.kept || this.touched)) this.startAgain();
    });
  }

  clear() {
    for (const control of this.form.elements) forget(control);
    this.form.reset();
    this.form.elements.submission_key.value = newKey();
    this.ready();
    this.problems.clear();
    this.suggestion.hide();
    this.children.clear();
    this.form.querySelectorAll("details").forEach((details) => (details.open = false));
  }

  startAgain() {
    this.clear();
    if (this.atTablet) this.show("start");
  }

  anythingTyped() {
    return [...this.form.elements].some((control) => control.name !== "visit" && isAnswered(control));
  }

  // Sending

  submit(event) {
    if (this.atTablet && this.sheet.dataset.now === "you") {
      event.preventDefault();
      this.go("visit");
    } else if (this.sending || !this.fit(this.problems.everywhere())) {
      event.preventDefault();
    } else {
      this.busy();
    }
  }

  fit(found) {
    if (!found.size && !navigator.onLine) found.set("", this.form.dataset.offline);
    if (found.size && this.atTablet) this.show(stepOf(found.keys().next().value) || this.sheet.dataset.now);
    this.problems.show(found);
    return !found.size;
  }

  busy() {
    const button = this.form.querySelector("[data-sending]");
    this.sending = true;
    button.dataset.words = button.textContent;
    button.textContent = button.dataset.sending;
    // A connection that hangs must not hold the card: the same key makes sending it again safe.
    this.waiting = setTimeout(() => this.ready(), SEND_AGAIN_AFTER_SECONDS * 1000);
  }

  ready() {
    const button = this.form.querySelector("[data-sending]");
    clearTimeout(this.waiting);
    this.sending = false;
    if (button.dataset.words) button.textContent = button.dataset.words;
  }

  goToProblem(event) {
    const link = event.target.closest("a");
    const control = link && document.getElementById(link.hash.slice(1));
    if (!control) return;
    event.preventDefault();
    if (this.atTablet) this.show(stepOf(control.id));
    const details = control.closest("details");
    if (details) details.open = true;
    control.focus();
  }

  // The steps at the tablet

  beginSteps() {
    const firstProblem = this.problems.first();
    if (firstProblem) this.show(stepOf(firstProblem) || "visit");
    this.fitVisit();
    this.form.addEventListener("click", (event) => {
      const door = event.target.closest("[data-visit]");
      const button = event.target.closest("[data-go]");
      if (door) this.enter(door.dataset.visit);
      if (button) this.go(button.dataset.go);
    });
    new Idle(this).begin();
  }

  enter(visit) {
    for (const radio of this.form.elements.visit) radio.checked = radio.value === visit;
    this.fitVisit();
    this.show("you");
    this.form.elements.first_name.focus();
  }

  // The tap on the first screen has answered the question; who has been before may still say that this is their church.
  fitVisit() {
    const chosen = [...this.form.elements.visit].find((radio) => radio.checked);
    const question = this.form.querySelector("[data-question=visit]");
    question.hidden = chosen?.value === "first_time";
    question.querySelector("[value=first_time]").closest(".chip").hidden = Boolean(chosen);
  }

  go(step) {
    if (step === "visit" && !this.fit(this.problems.aboutYou())) return;
    this.problems.clear();
    this.show(step);
    const title = document.getElementById(`${step}-title`);
    if (title) title.focus({ preventScroll: true });
  }

  show(step) {
    if (this.sheet.dataset.now !== step) scrollTo(0, 0);
    this.sheet.dataset.now = step;
  }
}

function forget(control) {
  if (control.type === "hidden") return;
  if (control.type === "checkbox" || control.type === "radio") control.defaultChecked = "default" in control.dataset;
  else if (control.localName === "select") for (const option of control.options) option.defaultSelected = false;
  else if ("defaultValue" in control) control.defaultValue = "";
}

function isAnswered(control) {
  if (control.type === "hidden" || control.localName === "button" || control.localName === "fieldset") return false;
  if (control.type === "checkbox" || control.type === "radio") return control.checked && !("default" in control.dataset);
  return Boolean(control.value);
}

function stepOf(name) {
  return document.getElementById(name)?.closest("[data-step]")?.dataset.step;
}

// crypto.randomUUID is missing on plain http, where a church may try the card out.
function newKey() {
  const hex = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)].join("-");
}

// What needs mending, in the markup and the words of the server. The server has the last word.
class Problems {
  constructor(form) {
    this.form = form;
    this.words = form.dataset;
    this.summary = document.getElementById("problems");
    this.list = this.summary.querySelector("ul");
  }

  any() {
    return !this.summary.hidden;
  }

  first() {
    return this.list.querySelector("a")?.hash.slice(1);
  }

  aboutYou() {
    const { first_name: name, email, phone } = this.form.elements;
    const found = new Map();
    const digits = phone.value.replace(/[^0-9a-z]/gi, "").length;
    if (!name.value.trim()) found.set("first_name", this.words.noName);
    if (!email.value.trim() && !phone.value.trim()) found.set("email", this.words.noContact);
    if (email.value.trim() && !/^\S+@\S+\.\S+$/.test(email.value.trim())) found.set("email", this.words.badEmail);
    if (phone.value.trim() && digits < Number(this.words.phoneDigits) && !phone.value.trim().startsWith("+")) found.set("phone", this.words.badPhone);
    return found;
  }

  everywhere() {
    const found = this.aboutYou();
    for (const child of this.form.querySelectorAll("[data-child]")) {
      const [name, age] = child.querySelectorAll("input");
      if (age.value.trim() && !name.value.trim()) found.set(name.id, this.words.noChild);
    }
    return found;
  }

  show(found) {
    this.clear();
    if (!found.size) return;
    for (const [name, words] of found) this.add(name, words);
    this.summary.hidden = false;
    document.title = `${this.words.error} ${document.title}`;
    this.summary.focus();
  }

  add(name, words) {
    const line = this.list.appendChild(document.createElement("li"));
    const text = name ? line.appendChild(document.createElement("a")) : line;
    text.textContent = words;
    if (name) this.mark(text, name, words);
  }

  mark(link, name, words) {
    const control = document.getElementById(name);
    const beside = document.getElementById(`${name}-problem`);
    const hint = document.getElementById(`${name}-hint`);
    link.href = `#${name}`;
    beside.hidden = false;
    beside.querySelector("[data-words]").textContent = words;
    control.setAttribute("aria-invalid", "true");
    control.setAttribute("aria-describedby", hint ? `${hint.id} ${beside.id}` : beside.id);
    control.closest(".field").classList.add("has-problem");
  }

  clear() {
    if (this.summary.hidden) return;
    this.summary.hidden = true;
    this.list.textContent = "";
    document.title = document.title.replace(`${this.words.error} `, "");
    this.form.querySelectorAll(".has-problem").forEach((field) => this.unmark(field));
  }

  unmark(field) {
    const control = field.querySelector("input, textarea");
    const hint = field.querySelector(".hint");
    field.classList.remove("has-problem");
    field.querySelector(".problem").hidden = true;
    control.removeAttribute("aria-invalid");
    if (hint) control.setAttribute("aria-describedby", hint.id);
    else control.removeAttribute("aria-describedby");
  }
}

// "Did you mean ana@gmail.com?" It offers and never blocks.
class Suggestion {
  constructor(form) {
    this.email = form.elements.email;
    this.line = document.getElementById("email-suggestion");
    this.text = this.line.querySelector("[data-words]");
    this.button = this.line.querySelector("button");
    this.common = form.dataset.mailDomains.split(" ");
    this.real = form.dataset.realDomains.split(" ");
  }

  begin() {
    this.email.addEventListener("input", () => this.offer((domain, common) => !common.startsWith(domain)));
    this.email.addEventListener("change", () => this.offer(() => true));
    this.button.addEventListener("click", () => this.take());
  }

  offer(mayBe) {
    const [, name, domain] = this.email.value.trim().match(/^(.+)@([^@]+)$/) || [];
    const meant = domain && this.meant(domain.toLowerCase(), mayBe);
    if (!meant) return this.hide();
    this.button.dataset.useEmail = `${name}@${meant}`;
    this.text.textContent = this.line.dataset.words.replace("{email}", `${name}@${meant}`);
    this.line.hidden = false;
  }

  meant(domain, mayBe) {
    if (this.common.includes(domain) || this.real.includes(domain)) return null;
    return this.common.find((common) => mayBe(domain, common) && isOneSlipAway(domain, common));
  }

  take() {
    this.email.value = this.button.dataset.useEmail;
    this.hide();
    this.email.focus();
  }

  hide() {
    this.line.hidden = true;
    this.text.textContent = "";
    this.button.dataset.useEmail = "";
  }
}

// One letter more, less, other, or two letters in the wrong order.
function isOneSlipAway(typed, meant) {
  let start = 0;
  while (start < typed.length && typed[start] === meant[start]) start += 1;
  const [restTyped, restMeant] = [typed.slice(start), meant.slice(start)];
  return (
    typed !== meant &&
    (restTyped.slice(1) === restMeant.slice(1) ||
      restTyped.slice(1) === restMeant ||
      restTyped === restMeant.slice(1) ||
      (restTyped[0] === restMeant[1] && restTyped[1] === restMeant[0] && restTyped.slice(2) === restMeant.slice(2)))
  );
}

class Children {
  constructor(list) {
    this.list = list;
    this.template = document.getElementById("child-row");
    this.button = document.getElementById("add-child");
  }

  begin() {
    if (!this.list) return;
    this.rows().slice(1).filter((row) => ![...row.querySelectorAll("input")].some(isAnswered)).forEach((row) => row.remove());
    this.button.addEventListener("click", () => this.add().querySelector("input").focus());
    this.list.addEventListener("click", (event) => this.remove(event.target.closest("[data-remove-child]")));
    this.fitButton();
  }

  rows() {
    return [...this.list.querySelectorAll("[data-child]")];
  }

  add() {
    const taken = this.rows().map((row) => row.querySelector("input").id);
    let number = 1;
    while (taken.includes(`child_${number}_first_name`)) number += 1;
    this.list.insertAdjacentHTML("beforeend", this.template.innerHTML.replaceAll("{row}", number));
    this.fitButton();
    return this.list.lastElementChild;
  }

  remove(button) {
    if (!button) return;
    button.closest("[data-child]").remove();
    this.fitButton();
    this.button.focus();
  }

  clear() {
    if (!this.list) return;
    this.list.textContent = "";
    this.add();
  }

  fitButton() {
    this.button.hidden = this.rows().length >= Number(this.list.dataset.most);
  }
}

// An unattended tablet: it asks, then forgets.
class Idle {
  constructor(card) {
    this.card = card;
    this.dialog = document.getElementById("still-there");
    this.words = document.getElementById("still-there-words");
    this.text = this.words.textContent;
  }

  begin() {
    this.stay();
    for (const kind of ["pointerdown", "keydown", "input", "scroll"]) addEventListener(kind, () => this.notice(), { capture: true, passive: true });
    this.dialog.addEventListener("close", () => this.stay());
    document.getElementById("still-here").addEventListener("click", () => this.stay());
    setInterval(() => this.look(), 1000);
  }

  // The question is answered by its button: were it gone as soon as a finger comes down, the tap would reach what lies below it.
  notice() {
    if (!this.dialog.open) this.stay();
  }

  stay() {
    this.since = Date.now();
    if (this.dialog.open) this.dialog.close();
  }

  look() {
    const idle = Math.floor((Date.now() - this.since) / 1000);
    const typed = this.card.kept || this.card.anythingTyped();
    if (idle >= (typed ? CLEAR_AFTER_SECONDS : START_AGAIN_AFTER_SECONDS)) this.leave();
    else if (typed && idle >= ASK_AFTER_SECONDS) this.ask(CLEAR_AFTER_SECONDS - idle);
  }

  ask(secondsLeft) {
    this.words.textContent = this.text.replace("20", secondsLeft);
    if (!this.dialog.open) this.dialog.showModal();
  }

  leave() {
    const fresh = new URL(this.card.form.dataset.fresh, location.href).href;
    this.stay();
    document.activeElement?.blur();
    this.card.startAgain();
    // A new page brings the language back to the tablet's own. Without the internet the cleared one is better than none.
    if ((location.href !== fresh || this.card.kept) && navigator.onLine) location.replace(fresh);
  }
}

function beginThanks(thanks) {
  const title = document.getElementById("thanks-title");
  const leave = () => location.replace(thanks.dataset.fresh);
  title?.focus({ preventScroll: true });
  addEventListener("pagehide", () => title && (title.textContent = title.dataset.withoutName));
  if (!thanks.dataset.clearsAfter) return;
  document.getElementById("done").addEventListener("click", (event) => {
    event.preventDefault();
    leave();
  });
  addEventListener("pageshow", (event) => event.persisted && leave());
  countDown(document.getElementById("countdown"), Number(thanks.dataset.clearsAfter), leave);
}

function countDown(line, seconds, then) {
  const end = Date.now() + seconds * 1000;
  const ticking = setInterval(() => {
    const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    line.textContent = line.dataset.words.replace("{seconds}", left);
    if (left > 0) return;
    clearInterval(ticking);
    then();
  }, 250);
}
