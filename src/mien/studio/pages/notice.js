/** A notice: an icon, one sentence, and what to do about it. */

import { icon } from "./icons.js";

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
  const notice = document.createElement("div");
  notice.className = `notice ${tone}`;
  notice.setAttribute("role", tone === "trouble" ? "alert" : "status");
  const body = document.createElement("div");
  body.append(line("h2", title));
  if (text) body.append(line("p", text));
  if (code) body.append(commandLine(code));
  if (actions.length) body.append(buttons(actions));
  notice.append(icon(sign), body);
  return notice;
}

/** @param {Action[]} actions @returns {HTMLElement} */
export function buttons(actions) {
  const row = document.createElement("div");
  row.className = "buttons";
  for (const action of actions) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = `button ${action.kind ?? ""}`;
    if (action.icon) button.append(icon(action.icon));
    button.append(line("span", action.text));
    button.addEventListener("click", () => action.run());
    row.append(button);
  }
  return row;
}

/** @param {string} command */
function commandLine(command) {
  const paragraph = document.createElement("p");
  paragraph.append(line("code", command));
  return paragraph;
}

/** @param {string} tag @param {string} text */
function line(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
