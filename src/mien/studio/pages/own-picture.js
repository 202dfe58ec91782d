/** A picture of one's own as a face to wear: looked at by the studio first, used if the person still wants it. */

import { opened } from "./dialog.js";
import { icon } from "./icons.js";
import { notice } from "./notice.js";
import { send } from "./server.js";
import { hasText, t } from "./text.js";

const LARGEST = 20; // MB, as the studio takes them
const VERDICTS = Object.freeze({ good: ["check", "good"], usable: ["info", "info"], poor: ["warning", "warn"] });

/** @typedef {{score: number, verdict: string, findings: {name: string, score: number, seen: string, advice: string}[]}} Suitability */

/**
 * Ask the studio about a picture, show its advice, and add it if the person says so.
 * @param {File} file
 * @returns {Promise<string | null>} the avatar's name; null if it was not added
 */
export async function addPicture(file) {
  const form = document.createElement("form");
  form.method = "dialog";
  form.className = "own-picture";
  const shown = opened(form, "own-picture-title", { wide: true });
  const picture = URL.createObjectURL(file);
  waiting(form, picture, t("gallery.checking"));
  try {
    if (!file.type.startsWith("image/")) throw new Error(t("gallery.kind"));
    if (file.size > LARGEST * 2 ** 20) throw new Error(t("gallery.large", { limit: LARGEST }));
    verdict(form, picture, file, await send("POST", "/api/avatars/check", file));
  } catch (error) {
    refused(form, error.message);
  }
  const answer = await shown;
  URL.revokeObjectURL(picture);
  if (answer === "other") return chooseAnother();
  return answer.startsWith("added:") ? answer.slice("added:".length) : null;
}

/** @param {HTMLFormElement} form @param {string} picture @param {string} text */
function waiting(form, picture, text) {
  const busy = document.createElement("p");
  busy.className = "busy";
  busy.setAttribute("role", "status");
  const spinner = document.createElement("span");
  spinner.className = "spinner";
  busy.append(spinner, text);
  form.replaceChildren(heading(), row(preview(picture), busy), actions(button("", t("app.cancel"))));
}

/** @param {HTMLFormElement} form @param {string} sentence */
function refused(form, sentence) {
  form.replaceChildren(
    heading(),
    notice({ icon: "warning", tone: "warn", title: sentence }),
    actions(button("", t("app.cancel")), button("other", t("gallery.check.other"), "primary")),
  );
  form.querySelector("h2")?.focus();
}

/** @param {HTMLFormElement} form @param {string} picture @param {File} file @param {Suitability} suitability */
function verdict(form, picture, file, suitability) {
  const [sign, tone] = VERDICTS[suitability.verdict] ?? VERDICTS.poor;
  const advised = suitability.findings.filter((finding) => finding.advice);
  const told = document.createElement("div");
  told.className = "own-picture-verdict";
  told.append(notice({ icon: sign, tone: /** @type {any} */ (tone), title: t(`gallery.check.${suitability.verdict}`) }));
  if (advised.length) told.append(list(advised.map(advice)));
  told.append(nameField(file), rights());
  const use = button("use", t(suitability.verdict === "good" ? "gallery.check.use" : "gallery.check.use-anyway"), "primary");
  form.replaceChildren(heading(), row(preview(picture), told), actions(button("", t("app.cancel")), button("other", t("gallery.check.other")), use));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    add(form, file, use);
  });
  form.querySelector("h2")?.focus();
}

/** @param {HTMLFormElement} form @param {File} file @param {HTMLButtonElement} use */
async function add(form, file, use) {
  const name = form.querySelector("input")?.value.trim() ?? "";
  use.disabled = true;
  use.textContent = t("gallery.adding");
  try {
    const added = await send("POST", `/api/avatars?name=${encodeURIComponent(name)}`, file);
    form.closest("dialog")?.close(`added:${added.name}`);
  } catch (error) {
    use.disabled = false;
    use.textContent = t("gallery.check.use");
    form.querySelector(".notice.trouble")?.remove();
    form.querySelector(".buttons:last-child")?.before(notice({ icon: "warning", tone: "trouble", title: error.message }));
  }
}

/** What would be better, in plain words. @param {{name: string, advice: string}} finding */
function advice(finding) {
  const key = `gallery.finding.${finding.name.replaceAll(" ", "-")}`;
  return hasText(key) ? t(key) : finding.advice;
}

/** @param {File} file */
function nameField(file) {
  const field = document.createElement("p");
  field.className = "field";
  const label = document.createElement("label");
  label.htmlFor = "own-picture-name";
  label.textContent = t("gallery.check.name");
  const input = document.createElement("input");
  Object.assign(input, { id: "own-picture-name", type: "text", required: true, maxLength: 40, value: nameFrom(file.name) });
  input.autocomplete = "off";
  field.append(label, input);
  return field;
}

/** A file's name as an avatar's: no suffix, nothing but letters, digits and dashes. @param {string} file */
export function nameFrom(file) {
  const name = file.replace(/\.[^.]*$/, "").normalize("NFC").replace(/[^\p{L}\p{N}]+/gu, "-");
  return name.replace(/^-+|-+$/g, "").slice(0, 40) || "picture";
}

/** Open the file chooser again. @returns {Promise<string | null>} */
function chooseAnother() {
  const input = document.createElement("input");
  Object.assign(input, { type: "file", accept: "image/*" });
  return new Promise((resolve) => {
    input.addEventListener("change", () => resolve(input.files?.[0] ? addPicture(input.files[0]) : null));
    input.addEventListener("cancel", () => resolve(null));
    input.click();
  });
}

function heading() {
  const heading = document.createElement("h2");
  heading.id = "own-picture-title";
  heading.tabIndex = -1; // what is focused goes when the content changes
  heading.textContent = t("gallery.check.title");
  return heading;
}

/** @param {string} picture */
function preview(picture) {
  const image = document.createElement("img");
  Object.assign(image, { src: picture, alt: t("gallery.check.picture"), className: "own-picture-view" });
  return image;
}

function rights() {
  const rights = document.createElement("p");
  rights.className = "hint rights";
  const text = document.createElement("span");
  text.textContent = t("gallery.check.rights");
  rights.append(icon("info"), text);
  return rights;
}

/** @param {HTMLElement[]} parts */
function row(...parts) {
  const row = document.createElement("div");
  row.className = "own-picture-row";
  row.append(...parts);
  return row;
}

/** @param {string[]} sentences */
function list(sentences) {
  const list = document.createElement("ul");
  list.append(...sentences.map((sentence) => Object.assign(document.createElement("li"), { textContent: sentence })));
  return list;
}

/** @param {HTMLButtonElement[]} choices */
function actions(...choices) {
  const row = document.createElement("div");
  row.className = "buttons";
  row.append(...choices);
  return row;
}

/** One that closes the dialog with that value; "use" is what the form is for. @param {string} value @param {string} text @param {string} [kind] */
function button(value, text, kind = "") {
  const button = document.createElement("button");
  Object.assign(button, { textContent: text, className: `button ${kind}`, type: value === "use" ? "submit" : "button" });
  if (value !== "use") button.addEventListener("click", () => button.closest("dialog")?.close(value));
  return button;
}
