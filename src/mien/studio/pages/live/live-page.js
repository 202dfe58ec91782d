/** The live page: choose a camera and a face, be live, decide what is kept. */

import { CameraError } from "./camera.js";
import { confirmed } from "../dialog.js";
import { FrameLink } from "./frame-link.js";
import { LiveScreen } from "./live-screen.js";
import { Setup } from "./live-setup.js";
import { get } from "../server.js";
import { SessionEnd } from "./session-end.js";
import { openPage } from "../shell.js";
import { t } from "../text.js";

const TRIES = 3; // failed connections after which starting is given up
const ELSEWHERE = "busy"; // Python's word for a session in another window; a camera's "busy" is another program

/** Three screens, one at a time. */
class LivePage {
  #screens = ["setup", "live", "ended"].map((id) => /** @type {HTMLElement} */ (document.getElementById(id)));
  #setup = new Setup(this.#screens[0]);
  #live = new LiveScreen(this.#screens[1]);
  #ended = new SessionEnd(this.#screens[2]);

  constructor() {
    this.#setup.addEventListener("start", () => this.#start());
    this.#live.addEventListener("ended", (event) => this.#over(/** @type {CustomEvent} */ (event).detail));
    this.#ended.addEventListener("again", () => this.#again());
    window.addEventListener("beforeunload", (event) => {
      if (this.#live.running || this.#ended.undecided) event.preventDefault();
    });
  }

  begin() {
    this.#setup.begin();
  }

  async #start() {
    const { gallery, cameras } = this.#setup;
    const avatar = gallery.avatar;
    if (!avatar) return;
    const link = new FrameLink();
    try {
      this.#setup.busy(t("live.opening"));
      const camera = await cameras.open();
      this.#setup.busy(t("live.loading"));
      const [studio] = await Promise.all([get("/api/state"), connected(link, camera, avatar.name)]);
      this.#setup.busy(null);
      cameras.hideFraming();
      this.#show("live");
      this.#live.run({ link, camera, avatar, studio });
    } catch (error) {
      link.close();
      cameras.close();
      this.#setup.busy(null);
      this.#setup.trouble(obstacleIn(error), { text: error.text ?? error.message });
    }
  }

  /** @param {import("./live-screen.js").Outcome} outcome */
  #over(outcome) {
    this.#setup.cameras.close();
    this.#show("ended");
    this.#ended.show(outcome);
  }

  async #again() {
    if (this.#ended.undecided) {
      const [title, text] = [t("live.ended.unkept"), t("live.ended.discard.text")];
      if (!(await confirmed({ title, text, yes: t("live.ended.discard"), danger: true }))) return;
      await this.#ended.discard();
    }
    this.#ended.leave();
    this.#show("setup");
    this.#setup.begin();
  }

  /** @param {string} id */
  #show(id) {
    for (const screen of this.#screens) screen.hidden = screen.id !== id;
    scrollTo(0, 0);
  }
}

/** What kind of obstacle an error tells of. @param {any} error */
function obstacleIn(error) {
  if (error instanceof CameraError) return error.reason;
  return error.kind === ELSEWHERE ? "elsewhere" : (error.kind ?? "failed");
}

/**
 * Start a session; an error of kind "gone" where the studio does not answer.
 * @param {FrameLink} link
 * @param {import("./camera.js").Camera} camera
 * @param {string} avatar
 */
function connected(link, camera, avatar) {
  return new Promise((resolve, reject) => {
    const dropped = (/** @type {Event} */ event) => {
      if (/** @type {CustomEvent} */ (event).detail.tries < TRIES - 1) return;
      reject(Object.assign(new Error(t("state.gone.title")), { kind: "gone" }));
    };
    link.addEventListener("down", dropped);
    link
      .start({ camera, avatar })
      .then(resolve, reject)
      .finally(() => link.removeEventListener("down", dropped));
  });
}

await openPage({ page: "live", texts: ["ui", "consult"] });
new LivePage().begin();
