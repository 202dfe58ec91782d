/** The page beside `mien live`: what others see, how it is going, and a button for every key. */

import { confirmed } from "../dialog.js";
import { icon } from "../icons.js";
import { notice } from "../notice.js";
import { PreviewLink } from "./preview-link.js";
import { PreviewStage } from "./preview-stage.js";
import { openPage } from "../shell.js";
import { inEveryLanguage, t } from "../text.js";

const ICONS = Object.freeze({
  previous: "previous", next: "next", calibrate: "calibrate", pause: "pause", mirror: "mirror", larger: "plus", smaller: "minus",
  fps: "chart", help: "info", quit: "stop",
});
const KEYS = Object.freeze({ ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down", Escape: "escape" });
const CAPS = Object.freeze({ escape: "Esc", left: "←", right: "→", up: "↑", down: "↓" });

const FACELESS = 1500; // milliseconds without a face before a word is said about it

const place = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

const stage = new PreviewStage(/** @type {HTMLCanvasElement} */ (place("stage")));
/** What does not change: {camera, virtual, width, height, commands, avatars} */
let hello = /** @type {any} */ (null);
/** How it is doing, `mien.live.job.Status` */
let status = /** @type {any} */ (null);
let connection = "waiting"; // "up", "down", "ended"
let seenAt = performance.now();

await openPage({ texts: ["ui", "preview"] });
const link = new PreviewLink();
link.addEventListener("hello", ({ detail }) => {
  hello = detail;
  stage.resize(hello.width, hello.height);
  build();
});
link.addEventListener("status", ({ detail }) => {
  status = detail;
  if (status.faces || status.paused) seenAt = performance.now();
  show();
});
link.addEventListener("picture", ({ detail }) => stage.show(detail));
for (const name of ["up", "down", "ended"]) {
  link.addEventListener(name, () => {
    connection = name;
    if (name !== "up") stage.card();
    show();
  });
}
document.addEventListener("keydown", typed);
inEveryLanguage(() => {
  document.title = `mien · ${t("preview.title")}`;
  if (hello) build();
  show();
});

/** Everything that hangs on the table of keys and avatars. */
function build() {
  place("avatars").replaceChildren(...hello.avatars.map(avatarButton));
  const pressed = hello.commands.filter((command) => command.name !== "avatar");
  place("controls").replaceChildren(...pressed.map(commandButton));
  place("keys").replaceChildren(...hello.commands.flatMap(keyLine));
  show();
}

/** @param {{name: string, title: string}} avatar @param {number} index */
function avatarButton({ name, title }, index) {
  const button = made("button", "button avatar");
  button.dataset.avatar = name;
  button.title = title;
  button.append(made("span", "", name));
  if (index < 9) {
    button.append(keyCap(String(index + 1)));
    button.addEventListener("click", () => press(String(index + 1)));
  } else {
    button.disabled = true; // beyond the ninth: by "previous" and "next"
  }
  return button;
}

/** @param {{name: string, keys: string[]}} command */
function commandButton({ name, keys }) {
  const button = made("button", `button command ${name === "quit" ? "danger" : ""}`);
  button.dataset.command = name;
  button.setAttribute("aria-keyshortcuts", keys.map(named).join(" "));
  button.append(icon(ICONS[name] ?? "info"), made("span", "", t(`preview.do.${name}`)), keyCap(keys[0]));
  button.addEventListener("click", () => press(keys[0]));
  return button;
}

/** @param {{name: string, keys: string[]}} command */
function keyLine({ name, keys }) {
  const term = made("dt");
  const caps = name === "avatar" ? [keyCap("1"), " … ", keyCap("9")] : keys.map(keyCap);
  term.append(...caps);
  return [term, made("dd", "", t(`preview.what.${name}`))];
}

/** The page as things stand. */
function show() {
  const live = connection === "up" && status !== null;
  stage.text = t(`preview.card.${connection === "up" && status?.paused ? "paused" : connection}`);
  place("stage").setAttribute("aria-label", live ? t("preview.shown", { avatar: status.avatar }) : t("preview.card.label"));
  fill("notices", notices(), ({ look, title, text }) => notice({ ...look, title, text }));
  fill("status", live ? chips() : [], ([sign, text]) => {
    const chip = made("li", "chip numbers");
    chip.append(icon(sign), made("span", "", text));
    return chip;
  });
  place("others").hidden = !live;
  place("help").hidden = !(live && status.shows_help);
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll(".avatar"))) {
    const own = Number(button.querySelector("kbd")?.textContent) > 0;
    button.disabled = !live || !own;
    button.setAttribute("aria-pressed", String(live && button.dataset.avatar === status.avatar));
  }
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll(".command"))) {
    button.disabled = !live;
    const on = { pause: status?.paused, mirror: status?.mirrored, fps: status?.shows_fps, help: status?.shows_help }[button.dataset.command ?? ""];
    if (on !== undefined) button.setAttribute("aria-pressed", String(live && on));
  }
}

/**
 * Draw a list anew where it has changed: what stays the same is not read out again.
 * @template T
 * @param {string} id @param {T[]} items @param {(item: T) => Node} draw
 */
function fill(id, items, draw) {
  const element = place(id);
  const said = JSON.stringify(items);
  if (element.dataset.shown === said) return;
  element.dataset.shown = said;
  element.replaceChildren(...items.map(draw));
}

/** What to know and to do, the most pressing first. */
function notices() {
  if (connection !== "up") {
    const tones = { waiting: "info", down: "trouble", ended: "info" };
    const signs = { waiting: "live", down: "unplugged", ended: "stop" };
    return [said(connection, { icon: signs[connection], tone: tones[connection] })];
  }
  if (!status) return [];
  const found = [];
  if (status.unplugged) found.push(said("unplugged", { icon: "camera-off", tone: "trouble" }));
  if (status.trouble) found.push({ look: { icon: "warning", tone: "warn" }, title: status.trouble, text: "" });
  if (status.paused) found.push(said("paused", { icon: "pause", tone: "warn" }));
  else if (!status.unplugged && performance.now() - seenAt > FACELESS) found.push(said("faceless", { icon: "face-lost", tone: "warn" }));
  if (status.slowed) found.push(said("slowed", { icon: "slow", tone: "info" }));
  const name = hello?.virtual;
  found.push(name ? said("choose", { icon: "check", tone: "good" }, { name }) : said("alone", { icon: "camera-off", tone: "info" }));
  return found;
}

/** @param {string} key @param {{icon: string, tone: any}} look @param {Record<string, string>} [values] */
function said(key, look, values = {}) {
  return { look, title: t(`preview.${key}`, values), text: t(`preview.${key}.do`, values) };
}

/** How it is doing, in few words. */
function chips() {
  const follows = status.paused ? ["pause", "paused"] : status.faces ? ["face", "seen"] : ["face-lost", "none"];
  return [
    [follows[0], t(`preview.face.${follows[1]}`)],
    ["camera", hello?.camera ?? ""],
    ...(status.shows_fps ? [["chart", t("preview.pace", { fps: Math.round(status.fps), delay: Math.round(status.delay * 1000) })]] : []),
    ...(status.calibrated ? [["calibrate", t("preview.calibrated")]] : []),
    ...(status.zoom !== 1 ? [["zoom", `${status.zoom.toFixed(1)}×`]] : []),
    ...(status.preparing ? [["retry", t("preview.preparing", { avatar: status.preparing })]] : []),
  ];
}

/** @param {KeyboardEvent} event */
function typed(event) {
  const { target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (target instanceof HTMLSelectElement || target instanceof HTMLInputElement) return;
  if (target instanceof HTMLElement && target.closest("button, a") && (event.key === " " || event.key === "Enter")) return;
  const key = keyOf(event);
  if (!hello?.commands.some((/** @type {any} */ command) => command.keys.includes(key))) return;
  event.preventDefault();
  press(key);
}

/** The key's name in the table; where the letters are not Latin, by its place. @param {KeyboardEvent} event */
function keyOf({ key, code }) {
  if (key in KEYS) return KEYS[key];
  if (key.length === 1 && key.charCodeAt(0) < 128) return key.toLowerCase();
  return code.replace(/^(Key|Digit)/, "").toLowerCase();
}

/** @param {string} key */
async function press(key) {
  const quits = hello.commands.find((/** @type {any} */ command) => command.name === "quit").keys.includes(key);
  if (quits && !(await confirmed({ title: t("preview.quit"), text: t("preview.quit.do"), yes: t("preview.do.quit"), no: t("preview.stay"), danger: true }))) return;
  link.press(key);
}

/** A key as ARIA calls it. @param {string} key */
function named(key) {
  const arrow = Object.keys(KEYS).find((name) => KEYS[name] === key);
  return arrow ?? ({ " ": "Space", "+": "Plus" }[key] ?? key);
}

/** @param {string} key */
function keyCap(key) {
  const cap = document.createElement("kbd");
  cap.textContent = key === " " ? t("preview.space") : (CAPS[key] ?? key.toUpperCase());
  return cap;
}

/** @param {string} tag @param {string} [classes] @param {string} [text] @returns {any} */
function made(tag, classes = "", text = "") {
  const element = document.createElement(tag);
  if (element instanceof HTMLButtonElement) element.type = "button";
  if (classes) element.className = classes;
  element.textContent = text;
  return element;
}
