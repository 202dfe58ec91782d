/** After a session: what it was, and what becomes of it. Nothing is kept until the person says so. */

import { confirmed } from "../dialog.js";
import { shortTitle } from "../gallery/gallery.js";
import { opening, saving } from "../links.js";
import { notice } from "../notice.js";
import { getFile, send } from "../server.js";
import { clock, inEveryLanguage, percent, t } from "../text.js";

/** Event "again" when the person wants another session. */
export class SessionEnd extends EventTarget {
  #root;
  /** @type {import("./live-screen.js").Outcome | null} */
  #outcome = null;
  /** @type {"lost" | "undecided" | "kept" | "discarded"} */
  #fate = "lost";
  #folder = "";
  #trouble = "";

  /** @param {HTMLElement} root */
  constructor(root) {
    super();
    this.#root = root;
    this.#part("keep-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#keep();
    });
    this.#part("discard").addEventListener("click", () => this.#askToDiscard());
    this.#part("again").addEventListener("click", () => this.dispatchEvent(new Event("again")));
    inEveryLanguage(() => this.#draw());
  }

  /** Whether there is something that is neither kept nor discarded. */
  get undecided() {
    return this.#fate === "undecided";
  }

  /** @param {import("./live-screen.js").Outcome} outcome */
  show(outcome) {
    this.#outcome = outcome;
    this.#fate = outcome.summary ? "undecided" : "lost";
    this.#folder = outcome.summary ? `/api/live/${outcome.summary.session}` : "";
    this.#trouble = "";
    /** @type {HTMLInputElement} */ (this.#part("keep-title")).value = "";
    this.#part("ended-invite").replaceChildren(...(outcome.panel ? [outcome.invite] : []));
    if (outcome.summary) outcome.panel?.report(() => getFile(`${this.#folder}/report.html`));
    this.#draw();
    this.#part("ended-title").focus({ preventScroll: true });
  }

  /** Let go of the session and of whoever was invited. */
  leave() {
    this.#outcome?.panel?.end();
    this.#outcome?.stage.close();
    this.#part("ended-invite").replaceChildren();
    this.#outcome = null;
    this.#fate = "lost";
  }

  /** Drop what is left, without asking. */
  async discard() {
    await this.#decided("discarded", () => send("DELETE", this.#folder));
  }

  async #askToDiscard() {
    const [title, text] = [t("live.ended.discard.title"), t("live.ended.discard.text")];
    if (await confirmed({ title, text, yes: t("live.ended.discard"), danger: true })) await this.discard();
  }

  async #keep() {
    const title = /** @type {HTMLInputElement} */ (this.#part("keep-title")).value.trim();
    await this.#decided("kept", async () => {
      const session = await send("POST", `${this.#folder}/keep`, { title });
      this.#folder = `/sessions/${session.id}`;
    });
  }

  /** @param {"kept" | "discarded"} fate @param {() => Promise<unknown>} act */
  async #decided(fate, act) {
    this.#trouble = "";
    try {
      await act();
      this.#fate = fate;
    } catch (error) {
      this.#trouble = error.message;
    }
    this.#draw();
  }

  #draw() {
    if (!this.#outcome) return;
    const { summary, avatar } = this.#outcome;
    this.#part("ended-left").hidden = !summary;
    const lost = this.#part("ended-lost");
    lost.hidden = summary !== null;
    const [title, text] = [t("live.ended.lost"), t("live.ended.lost.text")];
    lost.replaceChildren(notice({ icon: "server", tone: "warn", title, text }));
    if (!summary) return;
    this.#part("ended-length").textContent = clock(summary.seconds);
    this.#part("ended-coverage").textContent = percent(summary.coverage);
    this.#part("ended-avatar").textContent = shortTitle(avatar);
    this.#part("ended-recording").textContent = t(summary.recorded ? "live.ended.recorded" : "live.ended.unrecorded");
    this.#part("ended-keep").hidden = !this.undecided;
    this.#part("ended-files").hidden = this.#fate === "discarded";
    this.#part("ended-video-hint").hidden = !(summary.recorded && this.undecided);
    this.#part("ended-links").replaceChildren(...this.#links(summary.recorded && this.#fate === "kept"));
    this.#drawFate();
  }

  #drawFate() {
    const place = this.#part("ended-decided");
    place.hidden = this.undecided && !this.#trouble;
    place.replaceChildren(this.#told());
  }

  #told() {
    if (this.#trouble) return notice({ icon: "warning", tone: "trouble", title: this.#trouble });
    if (this.#fate === "discarded") return notice({ icon: "trash", title: t("live.ended.discarded") });
    return notice({ icon: "check", tone: "good", title: t("live.ended.kept"), text: t("live.ended.kept.text") });
  }

  /** @param {boolean} withVideo */
  #links(withVideo) {
    const report = `${this.#folder}/report.html`;
    const links = [
      opening(report, t("live.ended.report")),
      saving(report, t("live.ended.report.file"), { file: "mien-report.html" }),
      saving(`${this.#folder}/timeline.csv`, t("live.ended.table"), { file: "mien-timeline.csv" }),
    ];
    const video = `${this.#folder}/avatar.mp4`;
    return withVideo ? [...links, saving(video, t("live.ended.video"), { file: "mien-avatar.mp4" })] : links;
  }

  /** @param {string} id @returns {HTMLElement} */
  #part(id) {
    return /** @type {HTMLElement} */ (this.#root.querySelector(`#${id}`));
  }
}
