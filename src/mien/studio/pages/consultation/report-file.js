// A report from the other side as a file to keep: whatever is in it, it is shown in a frame that loads nothing and runs
// no code but ours.

import { language, t } from "../text.js";

/** Of emotion/report.js, the one script that may run: the cursor over the charts. A test tells when it has changed. */
const SCRIPT = "sha256-2jg38tbpC1yepWgH+jtLiVhHyr/Fyenx1G/A90N6gng=";
/** The frame inherits it. No other code runs in there: WebRTC asks no policy before it reaches for the network. */
const POLICY = [
  "default-src 'none'", `script-src '${SCRIPT}'`, "style-src 'unsafe-inline'", "img-src data:", "base-uri about:",
  "form-action 'none'",
].join("; ");
/** Else its own #anchors would lead to this file, out of the frame. */
const BASE = '<base href="about:srcdoc">';
const STYLE = `
:root{color-scheme:light dark}body{margin:0;height:100vh;display:flex;flex-direction:column;font:14px/1.5 system-ui,sans-serif}
p{margin:0;padding:8px 16px;background:#fff6e0;color:#4d3500;border-bottom:2px solid #c98a00}iframe{flex:1;border:0;width:100%}`;

/**
 * @param {string} report HTML, of whoever sent it
 * @returns {string} an HTML file that opens offline
 */
export function reportPage(report) {
  return `<!doctype html>
<html lang="${language}"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta http-equiv="x-dns-prefetch-control" content="off">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${quoted(t("join.report.file"))}</title><style>${STYLE}</style></head>
<body><p>${quoted(t("join.report.frame"))}</p>
<iframe sandbox="allow-scripts" title="${quoted(t("join.report.file"))}" srcdoc="${quoted(BASE + report)}"></iframe>
</body></html>
`;
}

/** As text or as an attribute in double quotes: nothing in it ends them. */
function quoted(text) {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
