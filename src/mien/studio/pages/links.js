/** Links that look like buttons: a report to open in a tab, a file to save. */

import { icon } from "./icons.js";
import { make } from "./make.js";

/** @param {string} address @param {string} text @param {string} [kind] further classes @returns {HTMLAnchorElement} */
export function opening(address, text, kind = "") {
  return link({ href: address, class: `button ${kind}`, target: "_blank", rel: "noopener" }, "report", text);
}

/**
 * @param {string} address
 * @param {string} text
 * @param {{file: string, kind?: string}} options `file`: name to save it under; `kind`: further classes
 * @returns {HTMLAnchorElement}
 */
export function saving(address, text, { file, kind = "" }) {
  return link({ href: address, class: `button ${kind}`, download: file }, "download", text);
}

/** @param {Record<string, string>} attributes @param {string} sign @param {string} text */
function link(attributes, sign, text) {
  return /** @type {HTMLAnchorElement} */ (make("a", attributes, icon(sign), text));
}
