/** The clips page: choose a clip and a face, have it done, look at both side by side. */

import { ClipChoice } from "./clip-choice.js";
import { ClipJob } from "./clip-job.js";
import { confirmed } from "../dialog.js";
import { Gallery } from "../gallery/gallery.js";
import { opening, saving } from "../links.js";
import { make } from "../make.js";
import { notice } from "../notice.js";
import { getFile } from "../server.js";
import { openPage } from "../shell.js";
import { SideBySide } from "./side-by-side.js";
import { clock, inEveryLanguage, language, t } from "../text.js";

/** What can move which kind of avatar. */
const ENGINES = Object.freeze({ puppet: ["puppet"], picture: ["mesh"] });
const FILES = Object.freeze({
  "avatar.mp4": "clips.video",
  "timeline.csv": "clips.table",
  "report.html": "clips.report",
});

class ClipsPage {
  #form = /** @type {HTMLFormElement} */ (part("wish"));
  #choice = new ClipChoice(this.#form);
  #gallery = new Gallery(part("gallery"));
  /** @type {ClipJob | null} */
  #job = null;
  /** @type {import("./clip-job.js").Stage | null} */
  #stage = null;
  /** @type {SideBySide | null} */
  #player = null;
  #downloaded = true;

  constructor() {
    this.#choice.addEventListener("change", () => this.#clipChanged());
    this.#gallery.addEventListener("change", () => this.#drawEngines());
    this.#form.addEventListener("change", () => (part("paste-warning").hidden = this.#wish().scene !== "paste"));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#run();
    });
    part("cancel").addEventListener("click", () => this.#job?.cancel());
    part("back").addEventListener("click", () => this.#show("wish"));
    part("again").addEventListener("click", () => this.#another());
    window.addEventListener("beforeunload", (event) => {
      if (this.#stage !== null || !this.#downloaded) event.preventDefault();
    });
    window.addEventListener("pagehide", () => this.#job?.remove());
    inEveryLanguage(() => {
      this.#drawEngines();
      this.#drawStage();
      if (this.#player) this.#drawLinks();
    });
  }

  begin() {
    return this.#gallery.load();
  }

  /** @returns {import("./clip-job.js").Wish} */
  #wish() {
    const chosen = Object.fromEntries(new FormData(this.#form));
    return /** @type {any} */ ({
      avatar: this.#gallery.avatar?.name ?? "",
      engine: chosen.engine || null,
      scene: chosen.scene,
      audio: chosen.audio,
      size: Number(chosen.size),
    });
  }

  #clipChanged() {
    this.#job?.remove();
    this.#job = this.#choice.file && new ClipJob(this.#choice.file);
    this.#job?.addEventListener("stage", (event) => {
      this.#stage = /** @type {CustomEvent} */ (event).detail;
      this.#drawStage();
    });
    /** @type {HTMLButtonElement} */ (part("run")).disabled = !this.#job;
    this.#say(null);
  }

  async #run() {
    const wish = this.#wish();
    if (!this.#job || !wish.avatar) return;
    this.#say(null);
    this.#stage = { state: "waiting" };
    part("work-name").textContent = this.#choice.file?.name ?? "";
    this.#show("work");
    this.#drawStage();
    try {
      await this.#finished(await this.#job.run(wish));
    } catch (error) {
      this.#failed(error.message);
    }
    this.#stage = null;
  }

  /** @param {import("./clip-job.js").Stage} stage */
  async #finished(stage) {
    if (stage.state === "done") return this.#showResult(stage);
    if (stage.state === "failed") return this.#failed(stage.error ?? "");
    this.#show("wish");
    this.#say(notice({ icon: "info", title: t("clips.cancelled") }));
  }

  /** @param {string} sentence the server's own */
  #failed(sentence) {
    this.#show("wish");
    this.#say(notice({ icon: "warning", tone: "trouble", title: t("clips.failed"), text: sentence }));
  }

  /** @param {import("./clip-job.js").Stage} stage */
  async #showResult(stage) {
    if (!this.#job || !this.#choice.file) return;
    const after = await getFile(this.#job.address("avatar.mp4"));
    this.#player?.close();
    this.#player = new SideBySide(part("player"), {
      before: this.#choice.file,
      after,
      sound: this.#wish().audio === "keep",
    });
    part("warnings").replaceChildren(...(stage.warnings?.length ? [warned(stage.warnings)] : []));
    this.#downloaded = false;
    this.#drawLinks();
    this.#show("result");
  }

  async #another() {
    const question = { title: t("clips.leave"), text: t("clips.leave.text"), yes: t("clips.leave.yes") };
    if (!this.#downloaded && !(await confirmed(question))) return;
    this.#downloaded = true;
    this.#player?.close();
    this.#player = null;
    this.#choice.choose(null);
    this.#show("wish");
  }

  /** @param {"wish" | "work" | "result"} id */
  #show(id) {
    for (const section of ["wish", "work", "result"]) part(section).hidden = section !== id;
    part("intro").hidden = id === "result";
    part(id).querySelector("h2")?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }

  /** @param {HTMLElement | null} told */
  #say(told) {
    const place = part("clips-notice");
    place.hidden = told === null;
    place.replaceChildren(...(told ? [told] : []));
    if (told) place.focus();
  }

  #drawStage() {
    if (!this.#stage) return;
    const { state, frames = 0, total = null, fps = 0, seconds_left: left = null, preparing = null } = this.#stage;
    const done = preparing ?? (total ? Math.min(1, frames / total) : 0);
    const share = state === "uploading" ? this.#stage.share : done;
    const getting = state === "running" && preparing !== null;
    part("work-stage").textContent = t(`clips.${getting ? "preparing" : state}`);
    const bar = part("work-bar");
    bar.setAttribute("aria-valuenow", String(Math.round((share ?? 0) * 100)));
    bar.firstElementChild?.setAttribute("data-state", state);
    /** @type {HTMLElement} */ (bar.firstElementChild).style.setProperty("scale", `${share} 1`);
    const numbers = new Intl.NumberFormat(language);
    const pictures = { done: numbers.format(frames), total: numbers.format(total ?? 0) };
    part("work-pictures").textContent =
      state === "running" && !getting ? t(total ? "clips.progress" : "clips.progress.open", pictures) : "";
    part("work-speed").textContent = fps ? t("clips.fps", { fps: Math.round(fps) }) : "";
    part("work-left").textContent = left === null ? "" : t("clips.left", { time: clock(Math.ceil(left)) });
  }

  #drawEngines() {
    const select = /** @type {HTMLSelectElement} */ (part("engine"));
    const chosen = select.value;
    const engines = ENGINES[this.#gallery.avatar?.kind ?? "puppet"] ?? [];
    select.replaceChildren(
      new Option(t("clips.engine.auto"), ""),
      ...engines.map((name) => new Option(t(`clips.engine.${name}`), name)),
    );
    if (engines.includes(chosen)) select.value = chosen;
  }

  #drawLinks() {
    const job = this.#job;
    if (!job) return;
    const files = Object.entries(FILES).map(([file, key], index) => {
      const kind = index === 0 ? "primary" : "";
      const link = saving(job.address(file), t(key), { file: `mien-${file}`, kind });
      link.addEventListener("click", () => (this.#downloaded = true));
      return link;
    });
    part("result-links").replaceChildren(...files, opening(job.address("report.html"), t("clips.report.view")));
  }
}

/** @param {string[]} sentences the server's own */
function warned(sentences) {
  const told = notice({ icon: "info", tone: "warn", title: t("clips.warnings") });
  const items = sentences.map((sentence) => make("li", { lang: "en" }, sentence));
  told.lastElementChild?.append(make("ul", {}, ...items));
  return told;
}

/** @param {string} id @returns {HTMLElement} */
function part(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

await openPage({ page: "clips" });
await new ClipsPage().begin();
