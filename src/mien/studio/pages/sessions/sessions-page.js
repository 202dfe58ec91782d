/** The sessions page: what was kept, to open, download, rename and delete. */

import { confirmed } from "../dialog.js";
import { icon } from "../icons.js";
import { make } from "../make.js";
import { notice } from "../notice.js";
import { get, send } from "../server.js";
import { card, titleOf } from "./session-card.js";
import { newTitle } from "./session-title.js";
import { openPage } from "../shell.js";
import { inEveryLanguage, moment, t } from "../text.js";

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
    const cards = this.#sessions.map((session) =>
      card(session, { rename: () => this.#rename(session), remove: () => this.#remove(session) }),
    );
    this.#list.replaceChildren(...cards);
  }

  #failure() {
    const again = { text: t("app.retry"), icon: "retry", run: () => location.reload() };
    return notice({
      icon: "warning",
      tone: "trouble",
      title: t("sessions.failed"),
      text: this.#trouble,
      actions: [again],
    });
  }

  /** @param {Session} session */
  async #rename(session) {
    const title = await newTitle(session.title);
    if (title === null) return;
    await this.#change(async () => {
      Object.assign(session, await send("PATCH", `/api/sessions/${session.id}`, { title }));
    });
    const card = this.#list.querySelector(`[data-id="${CSS.escape(session.id)}"]`);
    /** @type {HTMLElement | null | undefined} */ (card?.querySelector(".rename"))?.focus();
  }

  /** @param {Session} session */
  async #remove(session) {
    const text = t("sessions.delete.text", { title: titleOf(session), date: moment(session.started) });
    const question = { title: t("sessions.delete.title"), text, yes: t("sessions.delete.yes"), danger: true };
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
}

function empty() {
  return make(
    "div",
    { class: "sheet empty" },
    icon("sessions"),
    make("h2", {}, t("sessions.empty")),
    make("p", { class: "soft" }, t("sessions.empty.text")),
    make("a", { href: "/", class: "button primary" }, icon("play"), t("sessions.empty.start")),
  );
}

await openPage({ page: "sessions" });
await new SessionsPage().begin();
