// The patient's panel while somebody is there: who, since when, what they see and hear, and the switches for it.

import { icon } from "../icons.js";
import { make, write } from "../make.js";
import { clock, language, t } from "../text.js";

const VOICES = ["masked", "natural", "off"];

export class InCall {
  #call;
  #readable;
  #length = make("span", { class: "numbers" });
  #lost = make("p", { class: "caution", role: "status", hidden: true });
  #radios = new Map();
  #level = make("span");
  #trouble = make("p", { class: "caution", role: "alert", hidden: true });
  #emotions = make("input", { type: "checkbox", role: "switch", id: "invite-emotions" });
  #emotionHint = make("p", { class: "hint", id: "invite-emotions-hint" });
  #microphone = make("p", { class: "shared-hint" });

  /**
   * @param {import("./patient-call.js").PatientCall} call
   * @param {{readable: boolean}} options whether emotions can be read at all
   */
  constructor(call, { readable }) {
    this.#call = call;
    this.#readable = readable;
    this.#emotions.disabled = !readable;
    this.#lost.textContent = t("invite.lost", { name: call.name });
    this.#emotions.addEventListener("change", () => call.shareEmotions(this.#emotions.checked));
    this.parts = [
      this.#who(), this.#lost,
      make("h3", { id: "invite-shared" }, t("invite.shared")),
      make("ul", { class: "shared", "aria-labelledby": "invite-shared" }, this.#picture(), this.#voice(), this.#emotion(), this.#report()),
      this.#microphone,
      make("button", { type: "button", class: "button danger primary wide", onclick: () => call.end() }, icon("stop"), t("invite.end")),
    ];
  }

  update() {
    const { stage, since, sharing, voice, voiceTrouble, heard, name } = this.#call;
    write(this.#length, since ? clock((Date.now() - since) / 1000) : "");
    this.#lost.hidden = stage !== "lost";
    for (const [mode, radio] of this.#radios) radio.checked = mode === sharing.voice;
    this.#level.style.scale = `${voice?.level ?? 0} 1`;
    this.#level.parentElement.hidden = sharing.voice === "off";
    this.#trouble.hidden = !voiceTrouble;
    if (voiceTrouble) this.#trouble.textContent = t(`invite.voice.trouble.${voiceTrouble}`);
    this.#emotions.checked = sharing.emotions;
    const emotions = sharing.emotions ? "on" : "off";
    write(this.#emotionHint, t(`invite.emotions.${this.#readable ? emotions : "none"}`, { name }));
    if (this.#microphone.dataset.on !== String(heard)) {
      this.#microphone.dataset.on = String(heard);
      this.#microphone.replaceChildren(icon(heard ? "sound" : "sound-off"), t(heard ? "invite.hear.on" : "invite.hear.off", { name }));
    }
  }

  #who() {
    const { name, since } = this.#call;
    const time = since ? new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(since) : "";
    return make(
      "div", { class: "invite-who" }, make("span", { class: "here-dot" }),
      make("div", {}, make("h2", {}, t("invite.here", { name })), make("p", { class: "soft" }, t("invite.since", { time }), " · ", this.#length)),
    );
  }

  #picture() {
    return item("face", t("invite.picture"), make("span", { class: "chip on" }, t("invite.yes")), make("p", { class: "hint" }, t("invite.picture.hint")));
  }

  #voice() {
    const modes = VOICES.map((mode) => {
      const radio = make("input", { type: "radio", name: "invite-voice", value: mode, onchange: () => this.#call.setVoice(mode) });
      this.#radios.set(mode, radio);
      return make("label", {}, radio, make("span", {}, t(`invite.voice.${mode}`)));
    });
    const group = make("div", { class: "segments", role: "radiogroup", "aria-label": t("invite.voice") }, ...modes);
    const meter = make("div", { class: "voice-level", "aria-hidden": "true" }, this.#level);
    return item("microphone", t("invite.voice"), "", group, meter, make("p", { class: "hint" }, t("invite.voice.hint")), this.#trouble);
  }

  #emotion() {
    this.#emotions.setAttribute("aria-describedby", "invite-emotions-hint");
    this.#emotions.setAttribute("aria-label", t("invite.emotions"));
    return item("chart", t("invite.emotions"), make("span", { class: "switch" }, this.#emotions), this.#emotionHint);
  }

  #report() {
    return item("report", t("invite.report"), make("span", { class: "chip" }, t("invite.no")), make("p", { class: "hint" }, t("invite.report.hint")));
  }
}

function item(sign, title, state, ...rest) {
  return make("li", {}, icon(sign), make("div", {}, make("div", { class: "shared-head" }, make("strong", {}, title), state), ...rest));
}
