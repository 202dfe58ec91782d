// The clinician's notes: marks with a time, and free text. They live in this page until they are saved as a file.

import { icon } from "../icons.js";
import { make } from "../make.js";
import { clock, inEveryLanguage, t } from "../text.js";

const LONGEST_MARK = 500;
const MOST_MARKS = 2000;
const UNDO_FOR = 10_000; // ms

/** @typedef {{id: number, at: number, session: number | null, text: string}} Mark seconds of the call and of the patient's session */

/** Fires "change" when marks come or go, with a new one as `detail`; "edited" {mark, by} when the text of one changed. */
export class Notes extends EventTarget {
  /** @type {Mark[]} in order of time */
  marks = [];
  /** Whether there is something that no file has yet. */
  unsaved = false;
  #text = "";
  #made = 0;

  get text() {
    return this.#text;
  }

  set text(text) {
    this.#text = text;
    this.unsaved = true;
  }

  /** @param {number} at @param {number | null} session */
  mark(at, session) {
    if (this.marks.length >= MOST_MARKS) return;
    const mark = { id: ++this.#made, at, session, text: "" };
    this.marks.push(mark);
    this.#changed(mark);
  }

  /** @param {Mark} mark @param {string} text @param {unknown} by who wrote it, and shows it already */
  edit(mark, text, by) {
    mark.text = text;
    this.unsaved = true;
    this.dispatchEvent(new CustomEvent("edited", { detail: { mark, by } }));
  }

  /** @param {Mark} mark */
  remove(mark) {
    this.marks = this.marks.filter((other) => other !== mark);
    this.#changed();
  }

  /** @param {Mark} mark one that was removed */
  restore(mark) {
    this.marks = [...this.marks, mark].sort((a, b) => a.at - b.at);
    this.#changed();
  }

  #changed(mark = null) {
    this.unsaved = true;
    this.dispatchEvent(new CustomEvent("change", { detail: mark }));
  }
}

export class NotesView {
  #notes;
  #list = make("ul", { class: "marks" });
  #empty = make("p", { class: "soft marks-empty" });
  #undo = make("p", { class: "marks-undo", role: "status" });
  #lines = new Map(); // mark → its line
  #undoTimer = 0;

  /** @param {HTMLElement} container @param {Notes} notes */
  constructor(container, notes) {
    this.#notes = notes;
    const free = make("textarea", { id: "free-notes", rows: "6", maxlength: "100000" });
    free.addEventListener("input", () => { notes.text = free.value; });
    const label = make("label", { for: "free-notes" });
    const heading = make("h3");
    container.replaceChildren(
      make("div", { class: "marks-part" }, heading, this.#empty, this.#list, this.#undo),
      make("div", { class: "field" }, label, free),
    );
    notes.addEventListener("change", () => this.#render());
    notes.addEventListener("edited", ({ detail: { mark, by } }) => {
      if (by !== this) this.#lines.get(mark).querySelector("input").value = mark.text;
    });
    inEveryLanguage(() => {
      heading.textContent = t("join.marks");
      label.textContent = t("join.notes.free");
      this.#empty.textContent = t("join.marks.empty");
      this.#lines.clear();
      this.#render();
    });
  }

  #render() {
    const { marks } = this.#notes;
    this.#empty.hidden = marks.length > 0;
    for (const mark of marks) if (!this.#lines.has(mark)) this.#lines.set(mark, this.#line(mark));
    this.#list.replaceChildren(...marks.map((mark) => this.#lines.get(mark)).reverse());
  }

  #line(mark) {
    const time = clock(mark.at);
    const text = noteField(mark, time);
    text.addEventListener("input", () => this.#notes.edit(mark, text.value, this));
    const label = t("join.marks.delete", { time });
    const remove = make("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick: () => this.#remove(mark) }, icon("trash"));
    return make("li", {}, make("span", { class: "chip numbers" }, time), text, remove);
  }

  #remove(mark) {
    this.#notes.remove(mark);
    const undo = make("button", { type: "button", class: "button quiet", onclick: () => {
      this.#undo.replaceChildren();
      this.#notes.restore(mark);
    } }, t("join.marks.undo"));
    this.#undo.replaceChildren(t("join.marks.deleted", { time: clock(mark.at) }), " ", undo);
    undo.focus();
    clearTimeout(this.#undoTimer);
    this.#undoTimer = setTimeout(() => this.#undo.replaceChildren(), UNDO_FOR);
  }
}

/** A line right under the picture for the mark just made, so that nobody has to look away to note what happened. */
export class QuickNote {
  #place;
  #notes;

  /** @param {HTMLElement} place @param {Notes} notes */
  constructor(place, notes) {
    this.#place = place;
    this.#notes = notes;
    notes.addEventListener("change", ({ detail }) => (detail ? this.#open(detail) : this.#place.replaceChildren()));
  }

  #open(mark) {
    const time = clock(mark.at);
    const text = noteField(mark, time);
    const done = make("button", { type: "button", class: "button", onclick: () => this.#place.replaceChildren() }, icon("check"), t("join.marks.done"));
    text.addEventListener("input", () => this.#notes.edit(mark, text.value, this));
    text.addEventListener("blur", () => setTimeout(() => this.#close(text), 200)); // after a click on what took the focus
    this.#place.replaceChildren(make("span", { class: "chip numbers" }, time), text, done);
    text.focus();
  }

  #close(text) {
    if (this.#place.contains(text) && !this.#place.contains(document.activeElement)) this.#place.replaceChildren();
  }
}

/** What happened at a mark. Enter or Escape leaves it, so that M marks again. */
function noteField(mark, time) {
  const text = make("input", { type: "text", maxlength: String(LONGEST_MARK), "aria-label": t("join.marks.note", { time }), placeholder: t("join.marks.hint") });
  text.value = mark.text;
  text.addEventListener("keydown", (event) => {
    if ((event.key === "Enter" && !event.isComposing) || event.key === "Escape") text.blur();
  });
  return text;
}
