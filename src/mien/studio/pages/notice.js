/** A notice: an icon, one sentence, and what to do about it. */

import { icon } from "./icons.js";
import { make } from "./make.js";

/**
 * @typedef {object} Action
 * @property {string} text of the button
 * @property {() => unknown} run
 * @property {string} [icon]
 * @property {string} [kind] further classes: "primary", "quiet", "danger"
 */

/**
 * @param {object} what
 * @param {string} what.icon
 * @param {string} what.title one sentence
 * @param {string} [what.text] what to do
 * @param {string} [what.code] a command to type
 * @param {"info" | "warn" | "trouble" | "good"} [what.tone]
 * @param {Action[]} [what.actions]
 * @returns {HTMLElement}
 */
export function notice({ icon: sign, title, text = "", code = "", tone = "info", actions = [] }) {
  const body = make("div", {}, make("h2", {}, title));
  if (text) body.append(make("p", {}, text));
  if (code) body.append(make("p", {}, make("code", {}, code)));
  if (actions.length) body.append(buttons(actions));
  return make("div", { class: `notice ${tone}`, role: tone === "trouble" ? "alert" : "status" }, icon(sign), body);
}

/** @param {Action[]} actions @returns {HTMLElement} */
export function buttons(actions) {
  return make("div", { class: "buttons" }, ...actions.map(button));
}

/** @param {Action} action */
function button({ text, run, icon: sign, kind = "" }) {
  const parts = [...(sign ? [icon(sign)] : []), make("span", {}, text)];
  return make("button", { type: "button", class: `button ${kind}`, onclick: () => run() }, ...parts);
}
