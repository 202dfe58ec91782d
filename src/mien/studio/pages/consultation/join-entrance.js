// Before the call: the clinician's name, the wait to be let in, and everything that can be wrong with a link.

import { icon } from "../icons.js";
import { exchange, make } from "../make.js";
import { buttons, notice } from "../notice.js";
import { cleanName } from "./received.js";
import { readCode } from "./sealing.js";
import { t } from "../text.js";

const SIGNAL = "/relay";
const LONG = 15_000; // ms of connecting after which we say what may be wrong

export class Entrance {
  #place;
  #call;
  #code = codeOfLink();
  #name = "";
  #shown = "";
  #hint = null;

  /**
   * @param {HTMLElement} place is filled with what there is to say or ask
   * @param {import("./clinician-call.js").ClinicianCall} call
   */
  constructor(place, call) {
    this.#place = place;
    this.#call = call;
    addEventListener("hashchange", () => {
      if (call.began !== null || !["none", "refused", "declined", "ended"].includes(call.stage)) return;
      this.#code = codeOfLink();
      call.giveUp();
    });
  }

  /** Ask to be let in: with the link and the name of before, if it was left. */
  ask() {
    this.#call.join({ url: SIGNAL, code: this.#code, name: this.#name });
  }

  render() {
    const { stage, why, offline, met } = this.#call;
    const shown = [stage, why, offline, met, this.#code, document.documentElement.lang].join();
    if (shown === this.#shown) return;
    this.#shown = shown;
    const views = {
      none: () => this.#form(), entering: () => this.#waiting(), waiting: () => this.#waiting(),
      connecting: () => this.#connecting(), declined: () => this.#said("declined", "people", this.#again("join.again")),
      refused: () => this.#refused(), ended: () => this.#said(why === "patient" ? "closed" : "gone", "link"),
    };
    const able = "RTCPeerConnection" in globalThis && globalThis.crypto?.subtle;
    exchange(this.#place, able ? (views[stage] ?? views.none)() : this.#said("browser", "warning"));
  }

  #form() {
    const name = make("input", { type: "text", id: "name", maxlength: "60", autocomplete: "name", required: true });
    name.value = this.#name;
    name.addEventListener("input", () => { this.#name = cleanName(name.value); });
    const code = make("input", { type: "text", id: "code", maxlength: "40", autocomplete: "off", autocapitalize: "off", spellcheck: "false", required: true });
    const wrong = make("p", { class: "caution", role: "alert", hidden: true });
    const submit = (event) => {
      event.preventDefault();
      const given = this.#code ?? readCode(code.value.split("#").at(-1));
      wrong.hidden = Boolean(given && this.#name);
      wrong.textContent = t(given ? "join.name.missing" : "join.code.wrong");
      if (!wrong.hidden) return (given ? name : code).focus();
      this.#code = given;
      this.ask();
    };
    const broken = location.hash.length > 1 && !this.#code;
    const codeField = make("div", { class: "field" }, make("label", { for: "code" }, t("join.code")), code, make("p", { class: "hint" }, t("join.code.hint")));
    return [
      make("h1", {}, t("join.title")), make("p", { class: "lead" }, t("join.lead")),
      make(
        "form", { class: "sheet", novalidate: true, onsubmit: submit },
        ...(broken ? [notice({ icon: "link", tone: "warn", title: t("join.code.broken"), text: t("join.code.broken.text") })] : []),
        ...(this.#code ? [] : [codeField]),
        make("div", { class: "field" }, make("label", { for: "name" }, t("join.name")), name, make("p", { class: "hint" }, t("join.name.hint"))),
        wrong,
        make("button", { class: "button primary large wide" }, t("join.ask")),
      ),
      make("ul", { class: "promises" }, promise("face", "join.promise.avatar"), promise("microphone-off", "join.promise.microphone"), promise("lock", "join.promise.stored")),
    ];
  }

  #waiting() {
    const { offline, met } = this.#call;
    const trouble = offline ? notice({ icon: "server", tone: "warn", title: t("join.offline.title"), text: t("join.offline.text") }) : null;
    const text = this.#call.stage === "waiting" && !met ? "join.waiting.away" : "join.waiting.text";
    return [
      make(
        "div", { class: "sheet wait" }, make("span", { class: "spinner" }),
        make("h1", { role: "status" }, t("join.waiting.title")), make("p", { class: "soft" }, t(text)),
        ...(trouble ? [trouble] : []), this.#cancel(),
      ),
    ];
  }

  #connecting() {
    this.#hint = make("p", { class: "hint", hidden: true }, t("join.connecting.hint"));
    setTimeout((hint) => { hint.hidden = false; }, LONG, this.#hint);
    return [
      make("div", { class: "sheet wait" }, make("span", { class: "spinner" }), make("h1", { role: "status" }, t("join.connecting")), this.#hint, this.#cancel()),
    ];
  }

  #refused() {
    const { why } = this.#call;
    if (why === "full") return this.#said("full", "people", this.#again("join.retry"));
    if (why === "servers") return this.#said("servers", "server");
    return this.#said("unknown", "link", this.#again("join.retry"));
  }

  /** One sentence, and what to do. */
  #said(what, sign, ...actions) {
    return [
      make("div", { class: "sheet wait" }, icon(sign), make("h1", { role: "alert" }, t(`join.${what}.title`)), make("p", { class: "soft" }, t(`join.${what}.text`)), ...actions),
    ];
  }

  #again(text) {
    return buttons([{ text: t(text), icon: "retry", kind: "primary", run: () => this.ask() }]);
  }

  #cancel() {
    return buttons([{ text: t("app.cancel"), run: () => this.#call.giveUp() }]);
  }

}

function promise(sign, key) {
  return make("li", {}, icon(sign), make("span", {}, t(key)));
}

function codeOfLink() {
  return readCode(location.hash.slice(1));
}
