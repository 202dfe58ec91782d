/** What every page shares: texts and icons in place, the header with navigation, language and theme. */

import { keepStrayFilesOut } from "./drops.js";
import { drawIcons, icon } from "./icons.js";
import { make } from "./make.js";
import { inEveryLanguage, language, languages, loadTexts, setLanguage, t, translate } from "./text.js";
import { setTheme, theme, themes } from "./theme.js";

const PAGES = Object.freeze({ live: "/", clips: "/clips", sessions: "/sessions" });
const THEME_ICONS = Object.freeze({ system: "contrast", light: "sun", dark: "moon" });

/**
 * Make the page ready to read: load its texts, draw its icons, fill `<header class="site">`.
 * @param {object} [options]
 * @param {string | null} [options.page] which of live, clips, sessions this is; null for a page without navigation
 * @param {string[]} [options.texts] whose texts it needs
 */
export async function openPage({ page = null, texts = ["ui"] } = {}) {
  await loadTexts(texts);
  const skip = make("a", { class: "button primary skip", href: "#main", "data-t": "app.skip" });
  const row = make("div", { class: "site-row" }, brand(page), ...(page ? [navigation(page)] : []), choices());
  document.querySelector("header.site")?.replaceChildren(skip, row);
  drawIcons(document);
  translate();
  keepStrayFilesOut();
}

/** @param {string | null} page */
function brand(page) {
  const attributes = { class: "brand", ...(page ? { href: "/" } : {}) };
  return make(page ? "a" : "span", attributes, icon("mien"), "mien");
}

/** @param {string} current */
function navigation(current) {
  const links = Object.entries(PAGES).map(([name, href]) => {
    const here = name === current ? { "aria-current": "page" } : {};
    return make("a", { href, ...here }, icon(name), make("span", { "data-t": `app.${name}` }));
  });
  return make("nav", { "data-t-label": "app.navigation" }, ...links);
}

function choices() {
  return make("div", { class: "site-choices" }, languageChoice(), themeButton());
}

function languageChoice() {
  const options = Object.entries(languages).map(([code, name]) =>
    make("option", { value: code, lang: code, selected: code === language }, name),
  );
  const choice = /** @type {HTMLSelectElement} */ (
    make("select", { class: "language", "data-t-label": "app.language" }, ...options)
  );
  choice.addEventListener("change", () => setLanguage(choice.value));
  return choice;
}

/** One button that goes round system, light and dark. */
function themeButton() {
  const button = make("button", { type: "button", class: "icon-button theme" });
  const show = () => {
    const label = t("app.theme", { name: t(`app.theme.${theme()}`) });
    button.setAttribute("aria-label", label);
    button.title = label;
    button.replaceChildren(icon(THEME_ICONS[theme()]));
  };
  button.addEventListener("click", () => {
    setTheme(themes[(themes.indexOf(theme()) + 1) % themes.length]);
    show();
  });
  inEveryLanguage(show);
  return button;
}
