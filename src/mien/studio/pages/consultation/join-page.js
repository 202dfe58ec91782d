// The clinician's page: ask to join, see and hear the avatar, follow the emotions if they are shared, keep notes.

import { ClinicianCall } from "./clinician-call.js";
import { Afterwards } from "./join-after.js";
import { Entrance } from "./join-entrance.js";
import { AvatarScreen } from "./join-screen.js";
import { confirmed } from "../dialog.js";
import { EmotionView } from "../emotion-view.js";
import { icon } from "../icons.js";
import { write } from "../make.js";
import { Notes, NotesView, QuickNote } from "./notes.js";
import { openPage } from "../shell.js";
import { clock, inEveryLanguage, percent, t } from "../text.js";
import { TimelineChart } from "./timeline-chart.js";

const TICK = 250;
const REDRAW = 1000;
const HERE = ["connected", "lost"];
const INPUTS = "input, textarea, select, button, [contenteditable]";

const part = (id) => document.getElementById(id);

class JoinPage {
  #call = new ClinicianCall();
  #notes = new Notes();
  #entrance = new Entrance(part("entrance"), this.#call);
  #screen = new AvatarScreen(part("screen"));
  #emotions = new EmotionView(part("emotions"), { seconds: 60 });
  #chart = new TimelineChart(part("chart"));
  #after = new Afterwards(part("after"), this.#call, this.#notes, () => this.#entrance.ask());
  #drawnAt = 0;
  #lock = null;

  constructor() {
    const call = this.#call;
    new NotesView(part("notes"), this.#notes);
    new QuickNote(part("quick"), this.#notes);
    call.addEventListener("change", () => this.#show());
    call.addEventListener("picture", ({ detail }) => this.#screen.picture(detail.stream));
    call.addEventListener("sound", ({ detail }) => this.#screen.sound(detail.stream));
    call.addEventListener("row", ({ detail }) => this.#emotions.add({ ...detail.row, time: detail.row.at }));
    call.addEventListener("report", ({ detail }) => this.#after.report(detail.blob));
    this.#notes.addEventListener("change", () => this.#draw());
    part("microphone").addEventListener("click", () => call.setMicrophone(!call.microphone));
    part("mark").addEventListener("click", () => this.#mark());
    part("leave").addEventListener("click", () => this.#leave());
    addEventListener("keydown", (event) => this.#key(event));
    addEventListener("beforeunload", (event) => {
      if (HERE.includes(call.stage) || this.#after.unsaved) event.preventDefault();
    });
    addEventListener("pagehide", () => call.leave());
    document.addEventListener("visibilitychange", () => this.#stayAwake());
    setInterval(() => this.#tick(), TICK);
    inEveryLanguage(() => this.#show());
  }

  #show() {
    const call = this.#call;
    const { stage, sharing } = call;
    const here = HERE.includes(stage);
    const over = stage === "ended" && call.began !== null;
    this.#entrance.render();
    part("entrance").hidden = here || over;
    part("call").hidden = call.began === null;
    if (call.began === null) return;
    part("after").hidden = !over;
    if (over && !part("live").hidden) this.#close();
    this.#stayAwake();
    part("live").hidden = !here;
    part("voice").replaceChildren(icon(sharing.voice === "off" ? "microphone-off" : "microphone"), t(`join.voice.${sharing.voice}`));
    part("emotions").hidden = !sharing.emotions;
    part("emotions-off").hidden = sharing.emotions;
    part("overview").hidden = !call.shared;
    this.#showMicrophone();
    this.#after.render();
    this.#tick();
  }

  #showMicrophone() {
    const { microphone, microphoneTrouble } = this.#call;
    const button = part("microphone");
    button.setAttribute("aria-pressed", String(microphone));
    button.replaceChildren(icon(microphone ? "microphone" : "microphone-off"), t(microphone ? "join.microphone.on" : "join.microphone.off"));
    part("microphone-trouble").hidden = !microphoneTrouble;
    if (microphoneTrouble) part("microphone-trouble").textContent = t(`join.microphone.${microphoneTrouble}`);
  }

  #tick() {
    if (!HERE.includes(this.#call.stage)) return;
    write(part("length"), clock(this.#call.clock));
    this.#screen.show(this.#call);
    if (performance.now() - this.#drawnAt > REDRAW) this.#draw();
  }

  #draw() {
    const { record, shared, stage, length, clock: now } = this.#call;
    this.#drawnAt = performance.now();
    if (!shared) return;
    const until = stage === "ended" ? length : now;
    this.#chart.draw({ record, until, marks: this.#notes.marks });
    const [all] = record.means(0, until, 1);
    part("coverage").textContent = all ? t("join.coverage", { seen: percent(all.seen), confidence: percent(all.confidence) }) : "";
  }

  #mark() {
    if (HERE.includes(this.#call.stage)) this.#notes.mark(this.#call.clock, this.#call.sessionClock);
  }

  #key(event) {
    const typing = event.target.closest?.(INPUTS) && event.target.tagName !== "BUTTON";
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.code !== "KeyM" && event.key.toLowerCase() !== "m") return;
    event.preventDefault();
    this.#mark();
  }

  async #leave() {
    const question = { title: t("join.leave.title"), text: t("join.leave.text"), yes: t("join.leave"), no: t("join.leave.no"), danger: true };
    if (await confirmed(question)) this.#call.leave();
  }

  /** The call is over: what was seen goes, what was noted stays. */
  #close() {
    this.#screen.close();
    if (document.fullscreenElement) document.exitFullscreen();
    this.#draw();
    part("after").focus({ preventScroll: true });
    scrollTo(0, 0);
  }

  /** A phone's screen does not go dark in the middle of a call, where the browser can see to it. */
  async #stayAwake() {
    const wanted = HERE.includes(this.#call.stage) && !document.hidden;
    if (!wanted) {
      const lock = this.#lock;
      this.#lock = null;
      (await lock)?.release();
    } else if (!this.#lock) {
      this.#lock = navigator.wakeLock?.request("screen").catch(() => null) ?? null;
    }
  }
}

await openPage({ texts: ["ui", "consult"] });
new JoinPage();
