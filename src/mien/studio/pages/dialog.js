/** Questions in a dialog of the page, with the keyboard's Escape for no. */

import { t } from "./text.js";

/**
 * Ask before something that cannot be taken back.
 * @param {{title: string, text?: string, yes: string, no?: string, danger?: boolean}} question
 * @returns {Promise<boolean>}
 */
export function confirmed({ title, text = "", yes, no = t("app.cancel"), danger = false }) {
  const form = document.createElement("form");
  form.method = "dialog";
  const heading = document.createElement("h2");
  heading.id = "question";
  heading.textContent = title;
  const explanation = document.createElement("p");
  explanation.textContent = text;
  const row = document.createElement("div");
  row.className = "buttons";
  row.append(answer("no", no, ""), answer("yes", yes, danger ? "danger primary" : "primary"));
  form.append(heading, explanation, row);
  return opened(form, "question").then((value) => value === "yes");
}

/**
 * Show a form or anything else in a dialog until it is closed.
 * @param {HTMLElement} content
 * @param {string} labelledBy id of its heading
 * @param {{wide?: boolean}} [options]
 * @returns {Promise<string>} value of the button that closed it; "" for Escape
 */
export function opened(content, labelledBy, { wide = false } = {}) {
  const dialog = document.createElement("dialog");
  dialog.className = wide ? "wide" : "";
  dialog.setAttribute("aria-labelledby", labelledBy);
  dialog.append(content);
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
    dialog.showModal();
  });
}

/** @param {string} value @param {string} text @param {string} kind */
function answer(value, text, kind) {
  const button = document.createElement("button");
  button.value = value;
  button.className = `button ${kind}`;
  button.textContent = text;
  return button;
}
