/** What every page shares: texts and icons in place, the header with navigation, language and theme. */

import { drawIcons, icon } from "./icons.js";
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
  const header = document.querySelector("header.site");
  if (header) header.replaceChildren(skipLink(), row(page));
  drawIcons(document);
  translate();
}

/** @param {string | null} page */
function row(page) {
  const row = element("div", "site-row");
  row.append(brand(page), ...(page ? [navigation(page)] : []), choices());
  return row;
}

function skipLink() {
  const link = element("a", "button primary skip");
  link.setAttribute("href", "#main");
  link.dataset.t = "app.skip";
  return link;
}

/** @param {string | null} page */
function brand(page) {
  const brand = element(page ? "a" : "span", "brand");
  if (page) brand.setAttribute("href", "/");
  brand.append(icon("mien"), "mien");
  return brand;
}

/** @param {string} current */
function navigation(current) {
  const navigation = element("nav");
  navigation.dataset.tLabel = "app.navigation";
  for (const [name, address] of Object.entries(PAGES)) {
    const link = element("a");
    link.setAttribute("href", address);
    if (name === current) link.setAttribute("aria-current", "page");
    const title = element("span");
    title.dataset.t = `app.${name}`;
    link.append(icon(name), title);
    navigation.append(link);
  }
  return navigation;
}

function choices() {
  const choices = element("div", "site-choices");
  choices.append(languageChoice(), themeButton());
  return choices;
}

function languageChoice() {
  const choice = document.createElement("select");
  choice.className = "language";
  choice.dataset.tLabel = "app.language";
  for (const [code, name] of Object.entries(languages)) {
    const option = new Option(name, code, code === language, code === language);
    option.lang = code;
    choice.append(option);
  }
  choice.addEventListener("change", () => setLanguage(choice.value));
  return choice;
}

/** One button that goes round system, light and dark. */
function themeButton() {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "icon-button theme";
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

/** @param {string} tag @param {string} [classes] @returns {HTMLElement} */
function element(tag, classes = "") {
  const made = document.createElement(tag);
  made.className = classes;
  return made;
}
