/** Asks for a session's title. */

import { opened } from "./dialog.js";
import { t } from "./text.js";

const LONGEST = 200;

/** @param {string} title the one it has @returns {Promise<string | null>} the new one; null to leave it */
export async function newTitle(title) {
  const form = document.createElement("form");
  form.method = "dialog";
  const heading = Object.assign(document.createElement("h2"), { id: "rename-title", textContent: t("sessions.rename.title") });
  const field = Object.assign(document.createElement("p"), { className: "field" });
  const label = Object.assign(document.createElement("label"), { htmlFor: "rename-field", textContent: t("sessions.rename.label") });
  const input = Object.assign(document.createElement("input"), { id: "rename-field", type: "text", maxLength: LONGEST, value: title, autocomplete: "off" });
  field.append(label, input);
  const row = Object.assign(document.createElement("div"), { className: "buttons" });
  const save = Object.assign(document.createElement("button"), { value: "save", className: "button primary", textContent: t("sessions.rename.yes") });
  const cancel = Object.assign(document.createElement("button"), { type: "button", className: "button", textContent: t("app.cancel") });
  cancel.addEventListener("click", () => form.closest("dialog")?.close());
  row.append(cancel, save);
  form.append(heading, field, row);
  const answer = opened(form, heading.id);
  input.select();
  return (await answer) === "save" ? input.value.trim() : null;
}
