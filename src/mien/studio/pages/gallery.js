/** The faces to choose from: a radio group of pictures, with one's own added by file or by drop. */

import { confirmed } from "./dialog.js";
import { icon } from "./icons.js";
import { notice } from "./notice.js";
import { addPicture } from "./own-picture.js";
import { remember, remembered } from "./remembered.js";
import { get, send } from "./server.js";
import { hasText, inEveryLanguage, t } from "./text.js";

/** @typedef {{name: string, title: string, kind: string, own: boolean}} Avatar */

const FIRST = "maya";
let groups = 0;

/** Event "change" whenever another face is chosen. */
export class Gallery extends EventTarget {
  #container;
  #grid = document.createElement("div");
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
    this.#grid.className = "gallery";
    this.#grid.setAttribute("role", "radiogroup");
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

  /** The face chosen. @returns {Avatar | undefined} */
  get avatar() {
    return this.#avatars.find((avatar) => avatar.name === this.#chosen);
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
    const tile = element("div", "tile");
    const label = document.createElement("label");
    const input = document.createElement("input");
    Object.assign(input, { type: "radio", name: this.#group, value: avatar.name, checked: avatar.name === this.#chosen });
    input.setAttribute("aria-label", titleOf(avatar));
    label.title = titleOf(avatar);
    label.append(input, thumbnail(avatar.name), element("span", "tile-name", shortTitle(avatar)), tick());
    tile.append(label);
    if (avatar.own) tile.append(this.#removeButton(avatar));
    return tile;
  }

  /** @param {Avatar} avatar */
  #removeButton(avatar) {
    const button = element("button", "icon-button tile-remove");
    button.setAttribute("type", "button");
    button.setAttribute("aria-label", t("gallery.remove", { title: titleOf(avatar) }));
    button.append(icon("trash"));
    button.addEventListener("click", () => this.#remove(avatar));
    return button;
  }

  #addTile() {
    const tile = element("label", "tile tile-add");
    const input = document.createElement("input");
    Object.assign(input, { type: "file", accept: "image/png,image/jpeg,image/webp,image/bmp", className: "unseen" });
    input.addEventListener("change", () => {
      if (input.files?.[0]) this.#add(input.files[0]);
      input.value = "";
    });
    tile.append(input, icon("plus"), element("span", "tile-name", t("gallery.add")), element("span", "hint", t("gallery.add.hint")));
    return tile;
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
    const question = { title: t("gallery.remove.title"), text: t("gallery.remove.text", { title: titleOf(avatar) }), yes: t("gallery.remove.yes"), danger: true };
    if (!(await confirmed(question))) return;
    await send("DELETE", `/api/avatars/${encodeURIComponent(avatar.name)}`).catch(() => null);
    await this.load();
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

/** @param {string} name of an avatar @returns {HTMLImageElement} */
export function thumbnail(name) {
  const image = document.createElement("img");
  Object.assign(image, { src: `/api/avatars/${encodeURIComponent(name)}/thumbnail`, alt: "", width: 256, height: 256, className: "thumbnail" });
  image.decoding = "async";
  return image;
}

/**
 * Let files be dropped on an element, which gets data-dropping while one hovers.
 * @param {HTMLElement} place
 * @param {(file: File) => unknown} take
 */
export function takeDrops(place, take) {
  const hover = (/** @type {DragEvent} */ event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    place.dataset.dropping = "";
  };
  place.addEventListener("dragenter", hover);
  place.addEventListener("dragover", hover);
  place.addEventListener("dragleave", (event) => {
    if (!place.contains(/** @type {Node | null} */ (event.relatedTarget))) delete place.dataset.dropping;
  });
  place.addEventListener("drop", (event) => {
    delete place.dataset.dropping;
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    take(file);
  });
}

function tick() {
  const tick = element("span", "tile-tick");
  tick.append(icon("check"));
  return tick;
}

/** @param {string} tag @param {string} classes @param {string} [text] */
function element(tag, classes, text = "") {
  const made = document.createElement(tag);
  made.className = classes;
  made.textContent = text;
  return made;
}
