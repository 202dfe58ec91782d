/** A picture of one's own as a face to wear: looked at by the studio first, used if the person still wants it. */

import { closing, opened } from "../dialog.js";
import { icon } from "../icons.js";
import { make } from "../make.js";
import { notice } from "../notice.js";
import { send } from "../server.js";
import { hasText, t } from "../text.js";

export const PICTURES = "image/png,image/jpeg,image/webp,image/bmp";
const LARGEST = 20; // MB, as the studio takes them
const VERDICTS = Object.freeze({ good: ["check", "good"], usable: ["info", "info"], poor: ["warning", "warn"] });
const [OTHER, ADDED] = ["other", "added:"]; // what the dialog is closed with

/**
 * @typedef {object} Suitability
 * @property {"good" | "usable" | "poor"} verdict
 * @property {{name: string, advice: string}[]} findings
 */

/**
 * Ask the studio about a picture, show its advice, and add it if the person says so.
 * @param {File} file
 * @returns {Promise<string | null>} the avatar's name; null if it was not added
 */
export async function addPicture(file) {
  const picture = URL.createObjectURL(file);
  const dialog = new PictureDialog(file, picture);
  const answer = await dialog.open();
  URL.revokeObjectURL(picture);
  if (answer === OTHER) return chooseAnother();
  return answer.startsWith(ADDED) ? answer.slice(ADDED.length) : null;
}

class PictureDialog {
  #file;
  #picture;
  #form = /** @type {HTMLFormElement} */ (make("form", { method: "dialog", class: "own-picture" }));

  /** @param {File} file @param {string} picture its address */
  constructor(file, picture) {
    this.#file = file;
    this.#picture = picture;
  }

  /** @returns {Promise<string>} what it was closed with */
  open() {
    const closed = opened(this.#form, "own-picture-title", { wide: true });
    const busy = make(
      "p",
      { class: "busy", role: "status" },
      make("span", { class: "spinner" }),
      t("gallery.checking"),
    );
    this.#show([this.#row(busy)], [closing(t("app.cancel"))]);
    this.#look();
    return closed;
  }

  async #look() {
    try {
      if (!this.#file.type.startsWith("image/")) throw new Error(t("gallery.kind"));
      if (this.#file.size > LARGEST * 2 ** 20) throw new Error(t("gallery.large", { limit: LARGEST }));
      this.#advise(await send("POST", "/api/avatars/check", this.#file));
    } catch (error) {
      const told = notice({ icon: "warning", tone: "warn", title: error.message });
      const other = closing(t("gallery.check.other"), OTHER);
      other.classList.add("primary");
      this.#show([told], [closing(t("app.cancel")), other]);
    }
  }

  /** @param {Suitability} suitability */
  #advise({ verdict, findings }) {
    const [sign, tone] = VERDICTS[verdict];
    const told = make("div", { class: "own-picture-verdict" });
    told.append(notice({ icon: sign, tone: /** @type {any} */ (tone), title: t(`gallery.check.${verdict}`) }));
    const advised = findings.filter(({ advice }) => advice);
    if (advised.length) told.append(make("ul", {}, ...advised.map((finding) => make("li", {}, plain(finding)))));
    told.append(nameField(this.#file), rights());
    const use = make(
      "button",
      { class: "button primary" },
      t(`gallery.check.${verdict === "good" ? "use" : "use-anyway"}`),
    );
    this.#show([this.#row(told)], [closing(t("app.cancel")), closing(t("gallery.check.other"), OTHER), use]);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#add(/** @type {HTMLButtonElement} */ (use));
    });
  }

  /** @param {HTMLButtonElement} use */
  async #add(use) {
    const name = this.#form.querySelector("input")?.value.trim() ?? "";
    const title = use.textContent;
    use.disabled = true;
    use.textContent = t("gallery.adding");
    this.#form.querySelector(".notice.trouble")?.remove();
    try {
      const added = await send("POST", `/api/avatars?name=${encodeURIComponent(name)}`, this.#file);
      this.#form.closest("dialog")?.close(ADDED + added.name);
    } catch (error) {
      use.disabled = false;
      use.textContent = title;
      this.#form.lastElementChild?.before(notice({ icon: "warning", tone: "trouble", title: error.message }));
    }
  }

  /** @param {HTMLElement[]} content @param {HTMLElement[]} buttons */
  #show(content, buttons) {
    // What has the focus goes when the content changes: the heading takes it.
    const heading = make("h2", { id: "own-picture-title", tabindex: "-1" }, t("gallery.check.title"));
    this.#form.replaceChildren(heading, ...content, make("div", { class: "buttons" }, ...buttons));
    heading.focus();
  }

  /** @param {HTMLElement} beside */
  #row(beside) {
    const view = make("img", { src: this.#picture, alt: t("gallery.check.picture"), class: "own-picture-view" });
    return make("div", { class: "own-picture-row" }, view, beside);
  }
}

/** What would be better, in plain words. @param {{name: string, advice: string}} finding */
function plain({ name, advice }) {
  const key = `gallery.finding.${name.replaceAll(" ", "-")}`;
  return hasText(key) ? t(key) : advice;
}

/** @param {File} file */
function nameField(file) {
  const id = "own-picture-name";
  const value = nameFrom(file.name);
  const input = make("input", { id, type: "text", required: true, maxlength: "40", value, autocomplete: "off" });
  return make("p", { class: "field" }, make("label", { for: id }, t("gallery.check.name")), input);
}

/** A file's name as an avatar's: no suffix, nothing but letters, digits and dashes. @param {string} file */
function nameFrom(file) {
  const name = file
    .replace(/\.[^.]*$/, "")
    .normalize("NFC")
    .replace(/[^\p{L}\p{N}]+/gu, "-");
  return name.replace(/^-|-$/g, "").slice(0, 40) || "picture";
}

function rights() {
  return make("p", { class: "hint rights" }, icon("info"), make("span", {}, t("gallery.check.rights")));
}

/** Open the file chooser again. @returns {Promise<string | null>} */
function chooseAnother() {
  const input = /** @type {HTMLInputElement} */ (make("input", { type: "file", accept: PICTURES }));
  return new Promise((resolve) => {
    input.addEventListener("change", () => resolve(input.files?.[0] ? addPicture(input.files[0]) : null));
    input.addEventListener("cancel", () => resolve(null));
    input.click();
  });
}
