/** The faces to choose from: a radio group of pictures, with one's own added by file or by drop. */

import { confirmed } from "../dialog.js";
import { takeDrops } from "../drops.js";
import { icon } from "../icons.js";
import { make } from "../make.js";
import { notice } from "../notice.js";
import { PICTURES, addPicture } from "./own-picture.js";
import { remember, remembered } from "../remembered.js";
import { get, send } from "../server.js";
import { hasText, inEveryLanguage, t } from "../text.js";

/**
 * @typedef {{name: string, title: string, kind: string, own: boolean, trouble?: string}} Avatar
 * `trouble` says why a face cannot be worn. */

const FIRST = "maya";
let groups = 0;

/** Event "change" whenever another face is chosen. */
export class Gallery extends EventTarget {
  #container;
  #grid = make("div", { class: "gallery", role: "radiogroup" });
  #group = `avatar-${++groups}`;
  /** @type {Avatar[]} */
  #avatars = [];
  #chosen;

  /**
   * @param {HTMLElement} container
   * @param {{chosen?: string}} [options] name of the face to begin with; the last one used here if not given
   */
  constructor(container, { chosen = remembered("avatar") ?? FIRST } = {}) {
    super();
    this.#container = container;
    this.#chosen = chosen;
    this.#grid.addEventListener("change", ({ target }) => {
      if (target instanceof HTMLInputElement && target.type === "radio") this.#choose(target.value);
    });
    takeDrops(container, (file) => this.#add(file));
    inEveryLanguage(() => this.#draw());
  }

  /** Fetch the faces; shows what went wrong where that fails. */
  async load() {
    try {
      this.#avatars = await get("/api/avatars");
    } catch (error) {
      const again = { text: t("app.retry"), icon: "retry", run: () => this.load() };
      this.#container.replaceChildren(
        notice({ icon: "warning", tone: "trouble", title: t("gallery.failed"), text: error.message, actions: [again] }),
      );
      return;
    }
    this.#container.replaceChildren(this.#grid);
    if (!this.avatar) this.#chosen = this.#avatars[0]?.name ?? FIRST;
    this.#draw();
    this.dispatchEvent(new Event("change"));
  }

  /** The face chosen, if it can be worn. @returns {Avatar | undefined} */
  get avatar() {
    return this.#avatars.find((avatar) => avatar.name === this.#chosen && !avatar.trouble);
  }

  /** Choose by name, as if clicked. @param {string} name */
  set chosen(name) {
    this.#choose(name);
    this.#draw();
  }

  /** @param {string} name */
  #choose(name) {
    this.#chosen = name;
    remember("avatar", name);
    this.dispatchEvent(new Event("change"));
  }

  #draw() {
    this.#grid.setAttribute("aria-label", t("gallery.choose"));
    this.#grid.replaceChildren(...this.#avatars.map((avatar) => this.#tile(avatar)), this.#addTile());
  }

  /** @param {Avatar} avatar */
  #tile(avatar) {
    const title = titleOf(avatar);
    const checked = avatar.name === this.#chosen;
    const disabled = Boolean(avatar.trouble);
    const about = { value: avatar.name, checked, disabled, "aria-label": title };
    const input = make("input", { type: "radio", name: this.#group, ...about });
    const name = make("span", { class: "tile-name" }, shortTitle(avatar));
    const tick = make("span", { class: "tile-tick" }, icon("check"));
    const tile = make("div", { class: "tile" }, make("label", { title }, input, picture(avatar), name, tick));
    if (avatar.own) tile.append(this.#removeButton(avatar));
    return tile;
  }

  /** @param {Avatar} avatar */
  #removeButton(avatar) {
    const label = t("gallery.remove", { title: titleOf(avatar) });
    const onclick = () => this.#remove(avatar);
    return make(
      "button",
      { type: "button", class: "icon-button tile-remove", "aria-label": label, onclick },
      icon("trash"),
    );
  }

  #addTile() {
    const input = /** @type {HTMLInputElement} */ (make("input", { type: "file", accept: PICTURES, class: "unseen" }));
    input.addEventListener("change", () => {
      if (input.files?.[0]) this.#add(input.files[0]);
      input.value = "";
    });
    const name = make("span", { class: "tile-name" }, t("gallery.add"));
    const hint = make("span", { class: "hint" }, t("gallery.add.hint"));
    return make("label", { class: "tile tile-add" }, input, icon("plus"), name, hint);
  }

  /** @param {File} file */
  async #add(file) {
    const name = await addPicture(file);
    if (name === null) return;
    this.#chosen = name;
    remember("avatar", name);
    await this.load();
  }

  /** @param {Avatar} avatar */
  async #remove(avatar) {
    const text = t("gallery.remove.text", { title: titleOf(avatar) });
    const question = { title: t("gallery.remove.title"), text, yes: t("gallery.remove.yes"), danger: true };
    if (!(await confirmed(question))) return;
    const trouble = await send("DELETE", `/api/avatars/${encodeURIComponent(avatar.name)}`).catch((error) => error);
    await this.load();
    if (trouble) this.#container.prepend(notice({ icon: "warning", tone: "trouble", title: trouble.message }));
  }
}

/** An avatar's title in the reader's language, where there is one. @param {Avatar} avatar @returns {string} */
export function titleOf(avatar) {
  const key = `gallery.avatar.${avatar.name}`;
  if (avatar.own) return avatar.name;
  return hasText(key) ? t(key) : avatar.title;
}

/** The title's beginning, as under a picture. @param {Avatar} avatar @returns {string} */
export function shortTitle(avatar) {
  return titleOf(avatar).split(",")[0];
}

/** A face's picture; of a broken one, why it has none. @param {Avatar} avatar @returns {HTMLElement} */
function picture(avatar) {
  if (!avatar.trouble) return thumbnail(avatar.name);
  return make("span", { class: "tile-broken hint" }, icon("warning"), avatar.trouble);
}

/** @param {string} name of an avatar @returns {HTMLImageElement} */
export function thumbnail(name) {
  const src = `/api/avatars/${encodeURIComponent(name)}/thumbnail`;
  const image = make("img", { src, alt: "", width: "256", height: "256", decoding: "async", class: "thumbnail" });
  return /** @type {HTMLImageElement} */ (image);
}
