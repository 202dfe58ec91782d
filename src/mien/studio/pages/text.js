/** The texts of the pages: tables of strings, one folder per language, one file per owner; see texts/. */

import { remember, remembered } from "./remembered.js";

/** What a reader can choose: code and own name. A new language is a line here and a folder of its code in texts/. */
export const languages = Object.freeze({ en: "English", ko: "한국어" });

/** @type {Map<string, string>} */
const texts = new Map();

/** Code of the language shown: the one chosen before, else the browser's, else English. */
export let language = preferred();

let loaded = /** @type {string[]} */ ([]);

/**
 * Load the tables of these owners in the reader's language; English fills what a language lacks.
 * @param {string[]} [owners] names of files in texts/<language>/
 */
export async function loadTexts(owners = ["ui"]) {
  loaded = owners;
  const tables = await Promise.all(
    [...new Set(["en", language])].flatMap((code) => owners.map((owner) => table(code, owner))),
  );
  texts.clear();
  for (const [key, text] of tables.flatMap((strings) => Object.entries(strings))) texts.set(key, text);
  document.documentElement.lang = language;
}

/**
 * The text of a key with its {placeholders} filled; the key itself where there is none, so that a gap shows.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  const text = texts.get(key) ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** @param {string} key @returns {boolean} whether there is a text of that key */
export function hasText(key) {
  return texts.has(key);
}

/**
 * Fill the marked elements: data-t="key" gets the text, data-t-label="key" a label and a tooltip, data-t-hint="key" a
 * placeholder.
 * @param {ParentNode} [root]
 */
export function translate(root = document) {
  for (const element of marked(root, "data-t")) element.textContent = t(element.dataset.t ?? "");
  for (const element of marked(root, "data-t-label")) {
    const label = t(element.dataset.tLabel ?? "");
    element.setAttribute("aria-label", label);
    element.title = label;
  }
  for (const element of marked(root, "data-t-hint"))
    element.setAttribute("placeholder", t(element.dataset.tHint ?? ""));
}

/**
 * Show everything in that language from now on: fills the marked elements and fires "languagechange" on the document for
 * whoever writes texts by script.
 * @param {string} code a key of `languages`
 */
export async function setLanguage(code) {
  remember("language", code);
  language = code;
  await loadTexts(loaded);
  translate();
  document.dispatchEvent(new Event("languagechange"));
}

/** Run `write` now, and again whenever the language changes. @param {() => void} write */
export function inEveryLanguage(write) {
  write();
  document.addEventListener("languagechange", write);
}

/** @param {number} share 0 to 1 @returns {string} such as "87%" */
export function percent(share) {
  return new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 }).format(share);
}

/** @param {number} seconds @returns {string} such as "3:07" or "1:02:05" */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const parts = hours ? [hours, String(minutes).padStart(2, "0")] : [minutes];
  return [...parts, String(whole % 60).padStart(2, "0")].join(":");
}

/** @param {string} iso @returns {string} day and time as the reader's language writes them */
export function moment(iso) {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

function preferred() {
  const wanted = [remembered("language"), ...navigator.languages];
  return wanted.map((code) => (code ?? "").split("-")[0]).find((code) => code in languages) ?? "en";
}

/** @param {string} code @param {string} owner @returns {Promise<Record<string, string>>} */
async function table(code, owner) {
  const answer = await fetch(new URL(`texts/${code}/${owner}.json`, import.meta.url));
  return answer.ok ? answer.json() : {};
}

/** @param {ParentNode} root @param {string} mark @returns {HTMLElement[]} */
function marked(root, mark) {
  const own = root instanceof HTMLElement && root.hasAttribute(mark) ? [root] : [];
  return [...own, .../** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll(`[${mark}]`))];
}
