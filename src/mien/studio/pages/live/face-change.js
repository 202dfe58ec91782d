/** Another face in the middle of a session: the gallery in a dialog. */

import { closing, opened } from "../dialog.js";
import { Gallery } from "../gallery/gallery.js";
import { make } from "../make.js";
import { t } from "../text.js";

/** @param {string} worn name of the face worn now @returns {Promise<import("../gallery/gallery.js").Avatar | null>} */
export async function chosenFace(worn) {
  const place = make("div");
  const wear = make("button", { value: "wear", class: "button primary" }, t("live.wear"));
  const form = make(
    "form",
    { method: "dialog", class: "face-change" },
    make("h2", { id: "face-change-title" }, t("live.change.title")),
    make("p", { class: "hint" }, t("live.change.hint")),
    place,
    make("div", { class: "buttons" }, closing(t("app.cancel")), wear),
  );
  const gallery = new Gallery(place, { chosen: worn });
  const answer = opened(form, "face-change-title", { wide: true });
  await gallery.load();
  /** @type {HTMLElement | null} */ (form.querySelector(":checked"))?.focus();
  return (await answer) === "wear" ? (gallery.avatar ?? null) : null;
}
