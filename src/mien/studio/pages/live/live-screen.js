/** Being live: the avatar large, how it goes, and everything that can be done meanwhile. */

import { AvatarStage } from "./avatar-stage.js";
import { Backdrop } from "./backdrop.js";
import { CameraKeeper } from "./camera-keeper.js";
import { Countdown } from "./countdown.js";
import { confirmed } from "../dialog.js";
import { EmotionView } from "../emotion-view.js";
import { chosenFace } from "./face-change.js";
import { shortTitle } from "../gallery/gallery.js";
import { LiveControls } from "./live-controls.js";
import { Meter } from "./meter.js";
import { notice } from "../notice.js";
import { StageNotices } from "./stage-notices.js";
import { t } from "../text.js";

const ABSENT = 800; // milliseconds without a face before it is said
const ABANDONED = 90; // seconds after which Python has given the session up: the camera goes off
const GIVEN_UP = 4; // tries to connect again after which the person has to do something

/**
 * @typedef {object} Outcome
 * @property {any} summary what Python says of it: {session, seconds, coverage, recorded}; null where it is lost
 * @property {import("../gallery/gallery.js").Avatar} avatar
 * @property {any} panel InvitePanel of invite.js; null where nobody came
 * @property {HTMLElement} invite where that panel lies
 * @property {AvatarStage} stage
 */

/** Event "ended" (detail: Outcome). */
export class LiveScreen extends EventTarget {
  #root;
  #controls;
  #notices;
  #meter;
  #countdown;
  #emotions;
  #backdrop;
  /** @type {any} what belongs to the session that goes on */
  #session = null;

  /** @param {HTMLElement} root */
  constructor(root) {
    super();
    this.#root = root;
    this.#controls = new LiveControls(this.#part("controls"), this.#part("recording"), this.#part("calibrate-hint"));
    this.#notices = new StageNotices(this.#part("stage-notice"));
    this.#meter = new Meter(this.#part("meter"));
    this.#countdown = new Countdown(this.#part("countdown"));
    this.#backdrop = new Backdrop(this.#part("stage"));
    this.#emotions = new EmotionView(this.#part("emotions"));
    this.#controls.addEventListener("command", (event) =>
      this.#session?.link.command(/** @type {CustomEvent} */ (event).detail),
    );
    this.#controls.addEventListener("calibrate", () => this.#calibrate());
    this.#controls.addEventListener("change", () => this.#changeFace());
    this.#controls.addEventListener("stop", () => this.#stop());
    this.#part("fullscreen").hidden = !document.fullscreenEnabled;
    this.#part("fullscreen").addEventListener("click", () => this.#toggleFullscreen());
    document.addEventListener("visibilitychange", () => {
      if (this.#session && !document.hidden) this.#notices.flash("background");
    });
  }

  get running() {
    return this.#session !== null;
  }

  /**
   * Show a session that has been started.
   * @param {{link: import("./frame-link.js").FrameLink, camera: import("./camera.js").Camera,
   *     avatar: import("../gallery/gallery.js").Avatar, studio: any}} session `studio`: what /api/state says
   */
  run({ link, camera, avatar, studio }) {
    const canvas = document.createElement("canvas");
    for (const { name, value } of this.#canvas.attributes) canvas.setAttribute(name, value);
    this.#canvas.replaceWith(canvas);
    const stage = new AvatarStage(canvas, { text: t("live.card") });
    const keeper = new CameraKeeper(camera, link, this.#notices);
    const invite = document.createElement("div");
    this.#part("invite").replaceChildren(invite);
    this.#session = {
      link,
      camera,
      avatar,
      stage,
      keeper,
      invite,
      panel: null,
      connected: false,
      met: false,
      absentSince: 0,
      trouble: null,
      awake: awake(),
    };
    this.#notices.clear();
    this.#controls.reset();
    this.#meter.clear();
    this.#emotions.clear();
    this.#showWhetherReadable(studio.models.emotion);
    this.#listen(this.#session);
    this.#invite(this.#session, studio);
    this.#part("calibrate").focus({ preventScroll: true });
  }

  get #canvas() {
    return /** @type {HTMLCanvasElement} */ (this.#root.querySelector("#avatar"));
  }

  /** @param {any} session */
  #listen(session) {
    const hear = (/** @type {string} */ name, /** @type {(detail: any) => void} */ act) =>
      session.link.addEventListener(
        name,
        (/** @type {CustomEvent} */ event) => this.#session === session && act(event.detail),
      );
    hear("avatar", ({ bitmap, delay }) => {
      this.#backdrop.follow(bitmap);
      session.stage.show(bitmap);
      this.#meter.delay(delay);
    });
    hear("state", (state) => this.#state(session, state));
    hear("pace", () => this.#notices.flash("slow"));
    hear("trouble", ({ kind, text }) => this.#notices.flash(kind === "engine" ? "engine" : "trouble", { text }));
    hear("down", ({ tries, seconds }) => {
      if (seconds > ABANDONED) return this.#over(null);
      this.#notices.set("down", tries < GIVEN_UP);
      this.#notices.set("gone", tries >= GIVEN_UP);
    });
    hear("up", () => {
      this.#notices.set("down", false);
      this.#notices.set("gone", false);
    });
    hear("ended", (summary) => this.#over(summary));
  }

  /** @param {any} session @param {any} state LiveState of Python */
  #state(session, state) {
    const seen = state.faces > 0;
    const now = performance.now();
    session.absentSince = seen ? 0 : session.absentSince || now;
    this.#notices.set("paused", state.paused);
    this.#notices.set("lost", !seen && now - session.absentSince > ABSENT);
    this.#notices.set("several", state.faces > 1);
    const another = state.preparing !== null && state.preparing !== state.avatar; // the same in another size is no news
    this.#notices.set("preparing", another, { avatar: shortTitle(session.avatar) });
    if (state.trouble && state.trouble !== session.trouble) this.#notices.flash("trouble", { text: state.trouble });
    session.trouble = state.trouble;
    this.#controls.show(state);
    this.#meter.rate(state.fps);
    const row = {
      time: state.time,
      seen,
      emotions: state.emotions,
      confidence: state.confidence,
      paused: state.paused,
    };
    this.#emotions.add(row);
    session.panel?.emotions(row);
  }

  async #calibrate() {
    const session = this.#session;
    if (!(await this.#countdown.run())) return;
    session.link.command({ do: "calibrate" });
    this.#notices.flash("calibrated");
  }

  async #changeFace() {
    const session = this.#session;
    const avatar = await chosenFace(session.avatar.name);
    if (!avatar || session !== this.#session) return;
    session.avatar = avatar;
    session.link.command({ do: "wear", avatar: avatar.name });
  }

  async #stop() {
    const { connected, link } = this.#session;
    if (connected && !(await confirmed(endQuestion()))) return;
    this.#countdown.cancel();
    this.#over(await link.end());
  }

  /** @param {any} summary */
  #over(summary) {
    if (!this.#session) return;
    const { stage, keeper, camera, avatar, panel, met, invite, awake } = this.#session;
    this.#session = null;
    if (!met) panel?.end();
    keeper.close();
    camera.close();
    stage.card();
    awake.release();
    if (document.fullscreenElement) document.exitFullscreen();
    this.#notices.clear();
    this.dispatchEvent(
      new CustomEvent("ended", { detail: { summary, avatar, panel: met ? panel : null, invite, stage } }),
    );
  }

  /** @param {any} session @param {any} studio */
  async #invite(session, studio) {
    const { InvitePanel } = await import("../consultation/invite.js");
    if (this.#session !== session) return;
    session.panel = new InvitePanel(session.invite, { stage: session.stage, state: studio });
    session.panel.addEventListener("connected", () => (session.connected = session.met = true));
    session.panel.addEventListener("disconnected", () => (session.connected = false));
  }

  /** @param {boolean} readable whether there is a model that reads emotions */
  #showWhetherReadable(readable) {
    const place = this.#part("emotions");
    place.parentElement?.querySelector(".notice")?.remove();
    place.hidden = this.#part("live-caution").hidden = !readable;
    if (readable) return;
    place.after(
      notice({
        icon: "download",
        title: t("live.emotions.none"),
        text: t("live.emotions.none.text"),
        code: "mien models pull",
      }),
    );
  }

  #toggleFullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.#part("stage").requestFullscreen();
  }

  /** @param {string} id @returns {HTMLElement} */
  #part(id) {
    return /** @type {HTMLElement} */ (this.#root.querySelector(`#${id}`));
  }
}

function endQuestion() {
  const [title, text] = [t("live.stop.title"), t("live.stop.text")];
  return { title, text, yes: t("live.stop"), no: t("live.stop.no"), danger: true };
}

/** Keep the screen on while somebody is live, where the browser can; it lets go of it whenever the page is hidden. */
function awake() {
  /** @type {Promise<WakeLockSentinel | null> | undefined} */
  let lock;
  const hold = () => {
    if (!document.hidden) lock = navigator.wakeLock?.request("screen").catch(() => null);
  };
  const release = async () => {
    document.removeEventListener("visibilitychange", hold);
    (await lock)?.release();
  };
  document.addEventListener("visibilitychange", hold);
  hold();
  return { release };
}
