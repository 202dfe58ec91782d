// The patient's panel of a consultation: the invitation, who asks to come in, what is shared just now, the end.

import { InCall } from "./invite-call.js";
import { InvitationLink } from "./invite-link.js";
import { exchange, make } from "../make.js";
import { buttons, notice } from "../notice.js";
import { PatientCall } from "./patient-call.js";
import { t } from "../text.js";

const IN_CALL = ["connected", "lost"];
const EXPLAINED = ["expired", "turn", "servers", "picture"]; // refusals that have words of their own
const TICK = 250;
const LONG = 15; // seconds of connecting after which we say what may be wrong

/** Events: "connected" when somebody is in the call, "disconnected" when nobody is any more. */
export class InvitePanel extends EventTarget {
  #container;
  #relay;
  #call;
  #provider = null;
  #sound = new Audio();
  #shown = ""; // which view is there, so that it is only made anew when it has to be
  #view = null;
  #question = make("div", { "aria-live": "assertive" });
  #body = make("div");
  #inCall = false;
  #connectingSince = 0;
  #timer = setInterval(() => this.#view?.update?.(), TICK);
  #title = document.title;
  #readable;
  #relabel = () => this.#render(true);
  #leave = () => this.#call.close({ now: true });

  /**
   * @param {HTMLElement} container
   * @param {object} options
   * @param {{stream: MediaStream}} options.stage an `AvatarStage`
   * @param {{relay: {signal: string, join: string, reach: string, relay_only: boolean}, models?: {emotion: boolean}}} options.state of /api/state
   */
  constructor(container, { stage, state }) {
    super();
    this.#container = container;
    this.#relay = state.relay;
    this.#readable = state.models?.emotion !== false;
    this.#call = new PatientCall({
      stream: stage.stream,
      url: state.relay.signal,
      relayOnly: state.relay.relay_only,
      makeVoice: async () => new (await import("../voice/voice.js")).Voice(),
    });
    this.#call.addEventListener("change", () => this.#render());
    this.#call.addEventListener("sound", ({ detail }) => this.#play(detail.stream));
    document.addEventListener("languagechange", this.#relabel);
    addEventListener("pagehide", this.#leave);
    container.replaceChildren(make("div", { class: "sheet invitation" }, this.#question, this.#body));
    this.#render();
  }

  /**
   * One reading of the emotions: sent on only while they are shared.
   * @param {{time: number, seen: boolean, confidence: number, emotions: Record<string, number> | null}} row
   */
  emotions(row) {
    this.#call.row(row);
  }

  /**
   * The session is over and has a report. Picture and sound end; if somebody is there, the patient is asked whether to
   * send it.
   * @param {() => Promise<Blob>} provider called when the patient has agreed
   */
  report(provider) {
    this.#provider = provider;
    this.#call.end();
    this.#render(true);
  }

  /** Close call and invitation, and let go of the page. */
  end() {
    clearInterval(this.#timer);
    document.removeEventListener("languagechange", this.#relabel);
    removeEventListener("pagehide", this.#leave);
    this.#call.close();
    this.#sound.srcObject = null;
    this.#container.replaceChildren();
  }

  #render(anew = false) {
    const call = this.#call;
    this.#announce();
    const view = IN_CALL.includes(call.stage) ? "call" : call.stage;
    const shown = view === "call" ? view : [view, call.offline, call.report, this.#provider !== null].join();
    if (shown !== this.#shown || anew) {
      if (view === "connecting" && !this.#shown.startsWith(view)) this.#connectingSince = performance.now();
      this.#shown = shown;
      this.#view = this.#views[view]();
      exchange(this.#body, this.#view.parts);
    }
    this.#view.update?.();
    this.#ask(anew);
  }

  #announce() {
    const inCall = IN_CALL.includes(this.#call.stage);
    if (inCall === this.#inCall) return;
    this.#inCall = inCall;
    this.dispatchEvent(new Event(inCall ? "connected" : "disconnected"));
    if (!inCall) this.#sound.srcObject = null;
  }

  /** Whoever asks is shown over whatever else there is, until answered. */
  #ask(anew) {
    const name = this.#call.asking?.name ?? "";
    if (this.#question.dataset.name === name && !anew) return;
    this.#question.dataset.name = name;
    const title = t("invite.ask.title", { name });
    document.title = name ? title : this.#title; // seen also where another page is in front
    const question = () => notice({
      icon: "people", title, text: t("invite.ask.text"),
      actions: [
        { text: t("invite.ask.yes"), icon: "check", kind: "primary", run: () => this.#call.admit() },
        { text: t("invite.ask.no"), run: () => this.#call.decline() },
      ],
    });
    exchange(this.#question, name ? [question()] : [], this.#body);
    if (name) this.#question.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  #views = {
    none: () => ({
      parts: [
        make("h2", {}, t("invite.title")),
        make("p", { class: "soft" }, t("invite.text")),
        buttons([{ text: t("invite.open"), icon: "link", kind: "primary", run: () => this.#call.open() }]),
      ],
    }),
    opening: () => ({
      parts: [
        this.#call.offline ? this.#offline() : busy(t("invite.opening")),
        buttons([{ text: t("app.cancel"), run: () => this.#call.close() }]),
      ],
    }),
    waiting: () => this.#invitation(make("h2", {}, t("invite.waiting.title"))),
    left: () => this.#invitation(
      notice({ icon: "info", title: t("invite.left.title", { name: this.#call.name }), text: t("invite.left.text") }),
    ),
    connecting: () => {
      const hint = make("p", { class: "hint", hidden: true }, t(`invite.connecting.${this.#relay.reach === "internet" ? "far" : "near"}`));
      return {
        parts: [
          busy(t("invite.connecting", { name: this.#call.name })), hint,
          buttons([{ text: t("app.cancel"), run: () => this.#call.close() }]),
        ],
        update: () => { hint.hidden = performance.now() - this.#connectingSince < LONG * 1000; },
      };
    },
    call: () => new InCall(this.#call, { readable: this.#readable }),
    ended: () => this.#ended(),
    over: () => {
      const { report, name } = this.#call;
      const after = report === "sent" ? t("invite.over.sent", { name }) : t("invite.over.unsent");
      return {
        parts: [
          make("h2", {}, t("invite.over.title")), make("p", { class: "soft" }, name ? after : t("invite.over.nobody")),
          ...(this.#provider ? [] : [buttons([{ text: t("invite.again"), icon: "link", run: () => this.#call.open() }])]),
        ],
      };
    },
    refused: () => ({
      parts: [
        notice({
          icon: "warning", tone: "warn", title: t("invite.refused.title"),
          text: t(`invite.refused.${EXPLAINED.includes(this.#call.why) ? this.#call.why : "text"}`),
          actions: [{ text: t("invite.again"), icon: "link", kind: "primary", run: () => this.#call.open() }],
        }),
      ],
    }),
  };

  #invitation(...head) {
    const link = new InvitationLink(this.#call, this.#relay);
    const close = { text: t("invite.close"), kind: "quiet danger", run: () => this.#call.close() };
    return { parts: [...(this.#call.offline ? [this.#offline()] : head), link.element, buttons([close])] };
  }

  #ended() {
    const { report, name } = this.#call;
    const send = { text: t("invite.report.yes"), icon: "report", kind: "primary", run: () => this.#call.sendReport(this.#provider) };
    const close = { text: t("invite.report.no"), run: () => this.#call.close() };
    if (report === "making" || report === "sending") return this.#sending();
    if (report === "failed") {
      const failed = { icon: "warning", tone: "warn", title: t("invite.report.failed"), actions: [{ ...send, text: t("invite.report.retry") }, close] };
      return { parts: [notice(failed)] };
    }
    if (this.#provider) {
      const question = { icon: "report", title: t("invite.report.title", { name }), text: t("invite.report.text"), actions: [send, close] };
      return { parts: [notice(question)] };
    }
    return {
      parts: [
        make("h2", {}, t("invite.ended.title")), make("p", { class: "soft" }, t("invite.ended.later", { name })),
        buttons([{ ...close, text: t("invite.ended.close") }]),
      ],
    };
  }

  #sending() {
    const bar = make("span");
    const progress = make("div", { class: "progress", role: "progressbar", "aria-label": t("invite.report.sending") }, bar);
    return {
      parts: [busy(t(`invite.report.${this.#call.report}`)), progress],
      update: () => {
        bar.style.scale = `${this.#call.reportShare} 1`;
        progress.setAttribute("aria-valuenow", String(Math.round(100 * this.#call.reportShare)));
      },
    };
  }

  #offline() {
    return notice({ icon: "server", tone: "warn", title: t("invite.offline.title"), text: t(`invite.offline.${this.#relay.reach === "internet" ? "far" : "near"}`) });
  }

  #play(stream) {
    this.#sound.srcObject = stream;
    // The click that let them in allows sound; where it does not, the next one does.
    this.#sound.play().catch(() => addEventListener("pointerup", () => this.#sound.play().catch(() => {}), { once: true }));
  }
}

function busy(text) {
  return make("p", { class: "busy", role: "status" }, make("span", { class: "spinner" }), text);
}
