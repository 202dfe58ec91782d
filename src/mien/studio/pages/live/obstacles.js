/** What can keep a session from starting: an icon, one sentence, what to do, and a button for it. */

import { notice } from "../notice.js";
import { t } from "../text.js";

/** Per kind: its icon, and a command to type where one helps. */
const OBSTACLES = Object.freeze({
  none: { icon: "camera-off" },
  refused: { icon: "lock" },
  busy: { icon: "camera-off" },
  insecure: { icon: "unlock" },
  models: { icon: "download", code: "mien models pull" },
  elsewhere: { icon: "windows" },
  gone: { icon: "server", code: "mien studio" },
  avatar: { icon: "face" },
});
const TO_CHECK = Object.freeze(["models", "none"]);

/**
 * @param {string} kind a key of OBSTACLES; anything else is shown by its text alone
 * @param {{text?: string, again: () => unknown}} how `text`: the server's own sentence; `again`: what the button does
 * @returns {HTMLElement}
 */
export function obstacle(kind, { text = "", again }) {
  const known = kind in OBSTACLES;
  const { icon, code = "" } = OBSTACLES[kind] ?? { icon: "warning" };
  const retry = {
    text: t(TO_CHECK.includes(kind) ? "app.check-again" : "app.retry"),
    icon: "retry",
    kind: "primary",
    run: again,
  };
  return notice({
    icon,
    tone: known ? "warn" : "trouble",
    title: known ? t(`state.${kind}.title`) : text || t("state.failed", { status: "" }),
    text: kind === "avatar" ? text : known ? t(advice(kind)) : "",
    code,
    actions: kind === "insecure" ? [] : [retry],
  });
}

/** @param {string} kind @returns {string} key of what to do */
function advice(kind) {
  return kind === "refused" ? `state.refused.${browser()}` : `state.${kind}.text`;
}

/** Where this browser hides the permission for the camera. */
function browser() {
  const agent = navigator.userAgent;
  if (agent.includes("Firefox/")) return "firefox";
  return agent.includes("Safari/") && !agent.includes("Chrome/") ? "safari" : "chromium";
}
