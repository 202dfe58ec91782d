// The invitation itself: a link to copy or share, its code to read out, and how far it reaches.

import { icon } from "../icons.js";
import { make } from "../make.js";
import { language, t } from "../text.js";

const COPIED_FOR = 2500; // ms

export class InvitationLink {
  #link;
  #field;
  #copy;

  /**
   * @param {import("./patient-call.js").PatientCall} call
   * @param {{join: string, reach: string}} relay
   */
  constructor(call, relay) {
    this.#link = `${relay.join}#${call.code}`;
    this.#field = make("input", { type: "text", id: "invite-link", class: "invite-link", readonly: true, value: this.#link });
    this.#field.addEventListener("focus", () => this.#field.select());
    this.#copy = make("button", { type: "button", class: "button primary", onclick: () => this.#copied() });
    this.#labelCopy(false);
    this.element = make(
      "div", { class: "invite-paper" },
      make("label", { for: "invite-link", class: "legend" }, t("invite.link")), this.#field,
      make("div", { class: "buttons" }, this.#copy, ...this.#share()),
      make("p", { class: "invite-code" }, make("span", { class: "soft" }, t("invite.code")), " ", make("code", {}, call.code)),
      make("p", { class: "invite-wait", role: "status" }, make("span", { class: "invite-pulse" }), waiting(call)),
      reach(relay.reach),
    );
  }

  async #copied() {
    try {
      await navigator.clipboard.writeText(this.#link);
    } catch {
      this.#field.select(); // then it is one key away
      return;
    }
    this.#labelCopy(true);
    setTimeout(() => this.#labelCopy(false), COPIED_FOR);
  }

  #labelCopy(done) {
    this.#copy.replaceChildren(icon(done ? "check" : "copy"), make("span", { role: "status" }, t(done ? "invite.copied" : "invite.copy")));
  }

  #share() {
    if (!navigator.share) return [];
    const share = () => navigator.share({ title: "mien", text: t("invite.share.text"), url: this.#link }).catch(() => {});
    return [make("button", { type: "button", class: "button", onclick: share }, icon("upload"), t("invite.share"))];
  }
}

function reach(where) {
  if (where === "network" || where === "internet") return make("p", { class: "hint" }, t(`invite.reach.${where}`));
  return make("div", { class: "caution" }, make("p", {}, t("invite.reach.computer")), make("code", {}, "mien studio --relay https://…"));
}

/** Until when the relay waits for the first to come; whoever was here can come back for as long as the room lasts. */
function waiting({ stage, expires }) {
  if (stage === "left" || !expires) return t("invite.waiting.back");
  return t("invite.waiting.text", { time: new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(expires) });
}
