/** Another face in the middle of a session: the gallery in a dialog. */

import { opened } from "./dialog.js";
import { Gallery } from "./gallery.js";
import { t } from "./text.js";

/** @param {string} worn name of the face worn now @returns {Promise<import("./gallery.js").Avatar | null>} */
export async function chosenFace(worn) {
  const form = document.createElement("form");
  form.method = "dialog";
  form.className = "face-change";
  const heading = element("h2", t("live.change.title"));
  heading.id = "face-change-title";
  const place = document.createElement("div");
  const row = element("div", "", "buttons");
  const cancel = element("button", t("app.cancel"), "button");
  const wear = element("button", t("live.wear"), "button primary");
  wear.setAttribute("value", "wear");
  cancel.setAttribute("type", "button"); // Enter on a face is for wearing it
  cancel.addEventListener("click", () => form.closest("dialog")?.close());
  row.append(cancel, wear);
  form.append(heading, element("p", t("live.change.hint"), "hint"), place, row);
  const gallery = new Gallery(place, { chosen: worn });
  const answer = opened(form, heading.id, { wide: true });
  await gallery.load();
  /** @type {HTMLElement | null} */ (form.querySelector(":checked"))?.focus();
  return (await answer) === "wear" ? (gallery.avatar ?? null) : null;
}

/** @param {string} tag @param {string} text @param {string} [classes] */
function element(tag, text, classes = "") {
  return Object.assign(document.createElement(tag), { textContent: text, className: classes });
}
