/** What has to be said on the avatar's picture: one thing at a time, the most pressing first. */

import { icon } from "../icons.js";
import { inEveryLanguage, t } from "../text.js";

/** Kinds in order of urgency, each with its icon. */
const KINDS = new Map([
  ["gone", "server"],
  ["unplugged", "unplugged"],
  ["down", "retry"],
  ["engine", "warning"],
  ["trouble", "warning"],
  ["paused", "pause"],
  ["lost", "face-lost"],
  ["several", "people"],
  ["preparing", "face"],
  ["calibrated", "check"],
  ["slow", "slow"],
  ["background", "windows"],
]);
const FLASH = 7000; // milliseconds

/** @typedef {{text?: string, avatar?: string, action?: {text: string, run: () => unknown}}} Details */

export class StageNotices {
  #container;
  /** @type {Map<string, Details>} */
  #on = new Map();
  /** @type {Map<string, number>} */
  #timers = new Map();
  #shown = "";

  /** @param {HTMLElement} container a live region */
  constructor(container) {
    this.#container = container;
    inEveryLanguage(() => this.#show(true));
  }

  /** Something holds, or no longer does. @param {string} kind @param {boolean} on @param {Details} [details] */
  set(kind, on, details = {}) {
    clearTimeout(this.#timers.get(kind));
    if (on) this.#on.set(kind, details);
    else this.#on.delete(kind);
    this.#show();
  }

  /** Something happened: say so for a while. @param {string} kind @param {Details} [details] */
  flash(kind, details = {}) {
    this.set(kind, true, details);
    this.#timers.set(
      kind,
      setTimeout(() => this.set(kind, false), FLASH),
    );
  }

  clear() {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#on.clear();
    this.#show();
  }

  #show(anew = false) {
    const kind = [...KINDS.keys()].find((candidate) => this.#on.has(candidate)) ?? "";
    if (kind === this.#shown && !anew) return;
    this.#shown = kind;
    this.#container.dataset.kind = kind;
    this.#container.replaceChildren(...(kind ? this.#parts(kind, this.#on.get(kind) ?? {}) : []));
  }

  /** @param {string} kind @param {Details} details */
  #parts(kind, { text, avatar = "", action }) {
    const words = document.createElement("div");
    const title = document.createElement("strong");
    title.textContent = t(`state.${kind}.title`, { avatar });
    const more = document.createElement("span");
    more.textContent = text ?? advice(kind);
    words.append(title, more);
    if (kind === "gone") words.append(command("mien studio"));
    if (action) words.append(button(action));
    return [icon(KINDS.get(kind) ?? ""), words];
  }
}

/** @param {string} kind */
function advice(kind) {
  return ["engine", "trouble", "preparing", "calibrated"].includes(kind) ? "" : t(`state.${kind}.text`);
}

/** @param {string} text */
function command(text) {
  return Object.assign(document.createElement("code"), { textContent: text });
}

/** @param {{text: string, run: () => unknown}} action */
function button({ text, run }) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "button", textContent: text });
  button.addEventListener("click", run);
  return button;
}
