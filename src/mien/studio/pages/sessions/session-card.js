/** A kept session as a card: what it was, and what can be done with it. */

import { shortTitle, thumbnail } from "../gallery/gallery.js";
import { icon } from "../icons.js";
import { opening, saving } from "../links.js";
import { make } from "../make.js";
import { clock, moment, percent, t } from "../text.js";

/**
 * @typedef {object} Session
 * @property {string} id
 * @property {string} started ISO 8601
 * @property {number} seconds
 * @property {string} title
 * @property {string} avatar
 * @property {number} coverage 0 to 1
 * @property {string[]} files
 * @property {boolean} [damaged] whether its record cannot be read
 *
 * @typedef {object} Actions
 * @property {(session: Session) => unknown} rename
 * @property {(session: Session) => unknown} remove
 */

/** What can be downloaded, and what each is called. */
const FILES = Object.freeze({
  "report.html": "sessions.file.report",
  "timeline.csv": "sessions.file.timeline",
  "summary.json": "sessions.file.summary",
  "avatar.mp4": "sessions.file.avatar",
});

/** @param {Session} session @param {Actions} actions @returns {HTMLElement} */
export function card(session, actions) {
  const told = session.damaged ? make("p", { class: "caution" }, t("sessions.damaged")) : facts(session);
  const body = make("div", { class: "session-body" }, heading(session, actions), told, choices(session, actions));
  const card = make("article", { class: "sheet session", "data-id": session.id });
  if (session.avatar) card.append(picture(session));
  card.append(body);
  return card;
}

/** @param {Session} session @returns {string} its title, or what stands for one */
export function titleOf(session) {
  return session.title || t("sessions.untitled");
}

/** @param {Session} session */
function picture(session) {
  const image = thumbnail(session.avatar);
  image.addEventListener("error", () => image.remove()); // an avatar that is no longer there
  return image;
}

/** @param {Session} session @param {Actions} actions */
function heading(session, actions) {
  const date = make("time", { class: "soft", datetime: session.started }, moment(session.started));
  const label = t("sessions.rename", { title: titleOf(session) });
  const rename = make(
    "button",
    {
      type: "button",
      class: "icon-button rename",
      "aria-label": label,
      title: label,
      onclick: () => actions.rename(session),
    },
    icon("edit"),
  );
  return make("div", { class: "session-heading" }, make("div", {}, make("h2", {}, titleOf(session)), date), rename);
}

/** @param {Session} session */
function facts(session) {
  const avatar = shortTitle({ name: session.avatar, title: session.avatar, kind: "", own: false });
  const known = { length: clock(session.seconds), avatar, coverage: percent(session.coverage) };
  const pairs = Object.entries(known).map(([key, value]) =>
    make("div", {}, make("dt", {}, t(`sessions.${key}`)), make("dd", { class: "numbers" }, value)),
  );
  return make("dl", { class: "session-facts" }, ...pairs);
}

/** @param {Session} session @param {Actions} actions */
function choices(session, actions) {
  const row = make("div", { class: "buttons" });
  if (session.files.includes("report.html")) {
    row.append(opening(address(session, "report.html"), t("sessions.report"), "primary"));
  }
  const label = t("sessions.delete", { title: titleOf(session) });
  const remove = make(
    "button",
    { type: "button", class: "button quiet danger", "aria-label": label, onclick: () => actions.remove(session) },
    icon("trash"),
    t("sessions.delete.short"),
  );
  row.append(downloads(session), remove);
  return row;
}

/** @param {Session} session */
function downloads(session) {
  const present = Object.entries(FILES).filter(([file]) => session.files.includes(file));
  const items = present.map(([file, key]) =>
    make("li", {}, saving(`${address(session, file)}?download`, t(key), { file, kind: "quiet" })),
  );
  const summary = make("summary", { class: "button" }, icon("download"), t("sessions.download"));
  const menu = /** @type {HTMLDetailsElement} */ (
    make("details", { class: "downloads" }, summary, make("ul", {}, ...items))
  );
  closeWhenLeft(menu);
  return menu;
}

/** A menu closes with Escape, and when the focus goes elsewhere. @param {HTMLDetailsElement} menu */
function closeWhenLeft(menu) {
  menu.addEventListener("focusout", (event) => {
    if (!menu.contains(/** @type {Node | null} */ (event.relatedTarget))) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });
}

/** @param {Session} session @param {string} file */
function address(session, file) {
  return `/sessions/${encodeURIComponent(session.id)}/${file}`;
}
