/** A kept session as a card: what it was, and what can be done with it. */

import { shortTitle, thumbnail } from "./gallery.js";
import { icon } from "./icons.js";
import { clock, moment, percent, t } from "./text.js";

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
 */

/** What can be downloaded, and what each is called. */
const FILES = Object.freeze({
  "report.html": "sessions.file.report",
  "timeline.csv": "sessions.file.timeline",
  "summary.json": "sessions.file.summary",
  "avatar.mp4": "sessions.file.avatar",
});

/**
 * @param {Session} session
 * @param {{rename: (session: Session) => unknown, remove: (session: Session) => unknown}} actions
 * @returns {HTMLElement}
 */
export function card(session, actions) {
  const title = session.title || t("sessions.untitled");
  const card = element("article", "sheet session");
  card.dataset.id = session.id;
  const body = element("div", "session-body");
  body.append(heading(session, title, actions), session.damaged ? element("p", "caution", t("sessions.damaged")) : facts(session), files(session, title, actions));
  if (session.avatar) card.append(picture(session));
  card.append(body);
  return card;
}

/** @param {Session} session */
function picture(session) {
  const image = thumbnail(session.avatar);
  image.addEventListener("error", () => image.remove()); // an avatar that is no longer there
  return image;
}

/** @param {Session} session @param {string} title @param {any} actions */
function heading(session, title, actions) {
  const row = element("div", "session-heading");
  const words = document.createElement("div");
  const date = element("time", "soft", moment(session.started));
  date.setAttribute("datetime", session.started);
  words.append(element("h2", "", title), date);
  const rename = iconButton("edit", t("sessions.rename", { title }), () => actions.rename(session));
  rename.classList.add("rename");
  row.append(words, rename);
  return row;
}

/** @param {Session} session */
function facts(session) {
  const facts = element("dl", "session-facts");
  const avatar = shortTitle({ name: session.avatar, title: session.avatar, kind: "", own: false });
  for (const [key, value] of [["length", clock(session.seconds)], ["avatar", avatar], ["coverage", percent(session.coverage)]]) {
    const pair = document.createElement("div");
    pair.append(element("dt", "", t(`sessions.${key}`)), element("dd", "numbers", value));
    facts.append(pair);
  }
  return facts;
}

/** @param {Session} session @param {string} title @param {any} actions */
function files(session, title, actions) {
  const row = element("div", "buttons");
  if (session.files.includes("report.html")) row.append(link(session, "report.html", "report", t("sessions.report"), true));
  row.append(downloads(session));
  const remove = element("button", "button quiet danger");
  remove.setAttribute("type", "button");
  remove.setAttribute("aria-label", t("sessions.delete", { title }));
  remove.append(icon("trash"), t("sessions.delete.short"));
  remove.addEventListener("click", () => actions.remove(session));
  row.append(remove);
  return row;
}

/** @param {Session} session */
function downloads(session) {
  const menu = element("details", "downloads");
  const summary = element("summary", "button");
  summary.append(icon("download"), t("sessions.download"));
  const list = element("ul", "");
  for (const [file, key] of Object.entries(FILES)) {
    if (!session.files.includes(file)) continue;
    const item = document.createElement("li");
    item.append(link(session, file, "download", t(key), false));
    list.append(item);
  }
  menu.append(summary, list);
  closeWhenLeft(/** @type {HTMLDetailsElement} */ (menu));
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

/** @param {Session} session @param {string} file @param {string} sign @param {string} text @param {boolean} shown in a tab, or saved */
function link(session, file, sign, text, shown) {
  const link = document.createElement("a");
  const address = `/sessions/${encodeURIComponent(session.id)}/${file}`;
  Object.assign(link, { href: shown ? address : `${address}?download`, className: shown ? "button primary" : "button quiet" });
  if (shown) Object.assign(link, { target: "_blank", rel: "noopener" });
  else link.download = file;
  link.append(icon(sign), text);
  return link;
}

/** @param {string} sign @param {string} label @param {() => unknown} act */
function iconButton(sign, label, act) {
  const button = element("button", "icon-button");
  button.setAttribute("type", "button");
  button.setAttribute("aria-label", label);
  button.title = label;
  button.append(icon(sign));
  button.addEventListener("click", act);
  return button;
}

/** @param {string} tag @param {string} classes @param {string} [text] @returns {HTMLElement} */
function element(tag, classes, text = "") {
  return Object.assign(document.createElement(tag), { className: classes, textContent: text });
}
