/** Questions in a dialog of the page, with the keyboard's Escape for no. */

import { make } from "./make.js";
import { t } from "./text.js";

/**
 * Ask before something that cannot be taken back.
 * @param {{title: string, text?: string, yes: string, no?: string, danger?: boolean}} question
 * @returns {Promise<boolean>}
 */
export function confirmed({ title, text = "", yes, no = t("app.cancel"), danger = false }) {
  const form = make(
    "form",
    { method: "dialog" },
    make("h2", { id: "question" }, title),
    make("p", {}, text),
    make(
      "div",
      { class: "buttons" },
      make("button", { value: "no", class: "button" }, no),
      make("button", { value: "yes", class: `button primary ${danger ? "danger" : ""}` }, yes),
    ),
  );
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
  const attributes = { class: wide ? "wide" : "", "aria-labelledby": labelledBy };
  const dialog = /** @type {HTMLDialogElement} */ (make("dialog", attributes, content));
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
    dialog.showModal();
  });
}

/**
 * A button that closes its dialog with a value and, unlike one that submits, is not what Enter means.
 * @param {string} text
 * @param {string} [value]
 */
export function closing(text, value = "") {
  return make(
    "button",
    { type: "button", class: "button", onclick: ({ target }) => target.closest("dialog").close(value) },
    text,
  );
}
