/** The sessions page: what was kept, to open, download, rename and delete. */

import { confirmed } from "./dialog.js";
import { icon } from "./icons.js";
import { notice } from "./notice.js";
import { get, send } from "./server.js";
import { card } from "./session-card.js";
import { newTitle } from "./session-title.js";
import { openPage } from "./shell.js";
import { inEveryLanguage, moment, t } from "./text.js";

/** @typedef {import("./session-card.js").Session} Session */

class SessionsPage {
  #list = /** @type {HTMLElement} */ (document.getElementById("sessions"));
  #said = /** @type {HTMLElement} */ (document.getElementById("sessions-said"));
  /** @type {Session[] | null} */
  #sessions = null;
  #trouble = "";

  async begin() {
    try {
      this.#sessions = await get("/api/sessions");
      this.#trouble = "";
    } catch (error) {
      this.#trouble = error.message;
    }
    inEveryLanguage(() => this.#draw());
  }

  #draw() {
    if (this.#trouble) return this.#list.replaceChildren(this.#failure());
    if (!this.#sessions?.length) return this.#list.replaceChildren(empty());
    const actions = { rename: (/** @type {Session} */ session) => this.#rename(session), remove: (/** @type {Session} */ session) => this.#remove(session) };
    this.#list.replaceChildren(...this.#sessions.map((session) => card(session, actions)));
  }

  #failure() {
    const again = { text: t("app.retry"), icon: "retry", run: () => location.reload() };
    return notice({ icon: "warning", tone: "trouble", title: t("sessions.failed"), text: this.#trouble, actions: [again] });
  }

  /** @param {Session} session */
  async #rename(session) {
    const title = await newTitle(session.title);
    if (title === null) return;
    await this.#change(async () => Object.assign(session, await send("PATCH", `/api/sessions/${session.id}`, { title })));
    this.#focus(session);
  }

  /** @param {Session} session */
  async #remove(session) {
    const named = { title: session.title || t("sessions.untitled"), date: moment(session.started) };
    const question = { title: t("sessions.delete.title"), text: t("sessions.delete.text", named), yes: t("sessions.delete.yes"), danger: true };
    if (!(await confirmed(question))) return;
    await this.#change(async () => {
      await send("DELETE", `/api/sessions/${session.id}`);
      this.#sessions = this.#sessions?.filter((other) => other !== session) ?? [];
      this.#said.textContent = t("sessions.deleted");
    });
    document.getElementById("main")?.focus();
  }

  /** @param {() => Promise<unknown>} act */
  async #change(act) {
    try {
      await act();
      this.#draw();
    } catch (error) {
      this.#draw();
      this.#list.prepend(notice({ icon: "warning", tone: "trouble", title: error.message }));
    }
  }

  /** @param {Session} session */
  #focus(session) {
    /** @type {HTMLElement | null} */ (this.#list.querySelector(`[data-id="${CSS.escape(session.id)}"] .rename`))?.focus();
  }
}

function empty() {
  const empty = document.createElement("div");
  empty.className = "sheet empty";
  const title = Object.assign(document.createElement("h2"), { textContent: t("sessions.empty") });
  const text = Object.assign(document.createElement("p"), { textContent: t("sessions.empty.text"), className: "soft" });
  const start = Object.assign(document.createElement("a"), { href: "/", className: "button primary" });
  start.append(icon("play"), t("sessions.empty.start"));
  empty.append(icon("sessions"), title, text, start);
  return empty;
}

await openPage({ page: "sessions" });
await new SessionsPage().begin();
