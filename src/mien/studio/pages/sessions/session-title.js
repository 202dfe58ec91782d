/** Asks for a session's title. */

import { closing, opened } from "../dialog.js";
import { make } from "../make.js";
import { t } from "../text.js";

/** @param {string} title the one it has @returns {Promise<string | null>} the new one; null to leave it */
export async function newTitle(title) {
  const input = /** @type {HTMLInputElement} */ (
    make("input", { id: "rename-field", type: "text", maxlength: "200", value: title, autocomplete: "off" })
  );
  const form = make(
    "form",
    { method: "dialog" },
    make("h2", { id: "rename-title" }, t("sessions.rename.title")),
    make("p", { class: "field" }, make("label", { for: "rename-field" }, t("sessions.rename.label")), input),
    make(
      "div",
      { class: "buttons" },
      closing(t("app.cancel")),
      make("button", { value: "save", class: "button primary" }, t("sessions.rename.yes")),
    ),
  );
  const answer = opened(form, "rename-title");
  input.select();
  return (await answer) === "save" ? input.value.trim() : null;
}
