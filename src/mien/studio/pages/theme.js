/** Light or dark: the system's, unless another was chosen here. Pages load this before anything is painted. */

import { remember, remembered } from "./remembered.js";

/** @type {readonly string[]} */
export const themes = Object.freeze(["system", "light", "dark"]);

/** @returns {string} the one of `themes` that is shown */
export function theme() {
  return document.documentElement.dataset.theme ?? "system";
}

/** Show the pages in that theme from now on. @param {string} chosen one of `themes` */
export function setTheme(chosen) {
  document.documentElement.dataset.theme = chosen;
  remember("theme", chosen);
}

const saved = remembered("theme");
document.documentElement.dataset.theme = saved !== null && themes.includes(saved) ? saved : "system";
