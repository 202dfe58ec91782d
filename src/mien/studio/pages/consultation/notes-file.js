// The files a clinician takes along, made in the page and handed to the browser to save: nothing goes through a server.

import { EMOTIONS } from "./emotion-record.js";
import { clock, language, t } from "../text.js";
import { inWords, stackedShares, ticks } from "./timeline-chart.js";

const AROUND = 5; // seconds on each side of a mark that are summed up beside it
const STRETCHES = 480;
/** By day, as on paper; the same as in style.css. */
const COLOURS = {
  angry: "#c24a00", disgust: "#4f7a1e", fear: "#a0498a", happy: "#b57a00", sad: "#1f4fa3", surprise: "#0b8f8f",
  neutral: "#9aa1aa", unseen: "#c8c2b7",
};
const STYLE = `
body{margin:0 auto;max-width:860px;padding:32px 24px;font:16px/1.55 system-ui,sans-serif;color:#1a2028;background:#fff}
h1{font-size:1.8rem;line-height:1.2;margin:0 0 8px}h2{font-size:1.15rem;margin:32px 0 8px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;margin:0}dt{color:#525a66}dd{margin:0}
.caution{border-left:4px solid #c98a00;background:#fff6e0;color:#4d3500;padding:10px 14px;border-radius:6px}
svg{display:block;width:100%;height:120px;background:#f0ede8}.axis{position:relative;height:1.5em;color:#525a66;font-size:.85rem}
.axis span{position:absolute;transform:translateX(-50%)}.axis span:first-child{transform:none}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;padding:0;list-style:none;font-size:.9rem}
.legend i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px}
table{width:100%;border-collapse:collapse}th,td{text-align:left;vertical-align:top;padding:8px 12px 8px 0;border-bottom:1px solid #e0dbd3}
th,td:first-child{white-space:nowrap}td:last-child{color:#525a66;font-size:.9rem}.free{white-space:pre-wrap;overflow-wrap:anywhere}`;

/**
 * Hand a file to the browser.
 * @param {string} name
 * @param {string} content
 * @param {string} type
 */
export function save(name, content, type) {
  const blob = new Blob([content], { type: `${type};charset=utf-8` });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * @param {import("./notes.js").Mark[]} marks
 * @returns {string} call_s, session_s, note; seconds of the call and of the patient's session
 */
export function marksCsv(marks) {
  return table(["call_s", "session_s", "note"], marks.map(({ at, session, text }) => [seconds(at), seconds(session), text]));
}

/**
 * @param {import("./emotion-record.js").EmotionRecord} record
 * @returns {string} one line per row received; the emotions are empty where the face was not seen
 */
export function emotionsCsv(record) {
  const rows = Array.from({ length: record.length }, (_, i) => record.row(i));
  return table(
    ["call_s", "session_s", "seen", "confidence", ...EMOTIONS],
    rows.map((row) => [
      seconds(row.at), seconds(row.time), Number(row.seen), row.confidence, ...EMOTIONS.map((name) => row.emotions?.[name] ?? ""),
    ]),
  );
}

/**
 * The notes as one HTML file that opens offline. Its words are the clinician's and ours; from the other side it has numbers
 * alone.
 * @param {import("./clinician-call.js").ClinicianCall} call that has ended
 * @param {import("./notes.js").Notes} notes
 * @returns {string}
 */
export function notesPage(call, notes) {
  const began = new Date(Date.now() - (performance.now() - call.began));
  const when = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "short" }).format(began);
  const facts = [[t("join.file.when"), when], [t("join.file.length"), clock(call.length)], [t("join.file.clinician"), call.name]];
  const marks = notes.marks.map((mark) => {
    const around = call.shared ? inWords(call.record.means(mark.at - AROUND, mark.at + AROUND, 1)[0]) : "";
    return `<tr><td>${clock(mark.at)}<td>${escaped(mark.text)}<td>${escaped(around)}`;
  });
  const heads = ["join.file.time", "join.file.note", ...(call.shared ? ["join.file.around"] : [])];
  return `<!doctype html>
<html lang="${language}"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>${escaped(t("join.file.title"))}</title>
<style>${STYLE}</style></head><body>
<h1>${escaped(t("join.file.title"))}</h1>
<dl>${facts.map(([name, value]) => `<dt>${escaped(name)}<dd>${escaped(value)}`).join("")}</dl>
${call.shared ? chart(call) : ""}
<p class="caution">${escaped(t("join.caution"))}</p>
<h2>${escaped(t("join.marks"))}</h2>
${marks.length ? `<table><tr>${heads.map((key) => `<th>${escaped(t(key))}`).join("")}${marks.join("\n")}</table>` : `<p>${escaped(t("join.file.none"))}</p>`}
<h2>${escaped(t("join.notes.free"))}</h2>
<p class="free">${escaped(notes.text || t("join.file.none"))}</p>
</body></html>
`;
}

function chart({ record, length }) {
  const svg = stackedShares(record.means(0, length, STRETCHES), (name) => COLOURS[name]);
  const axis = ticks(length).map((time) => `<span style="left:${((100 * time) / length).toFixed(2)}%">${clock(time)}</span>`);
  const legend = Object.entries(COLOURS).map(([name, colour]) => {
    return `<li><i style="background:${colour}"></i>${escaped(t(name === "unseen" ? "join.chart.unseen" : `emotion.${name}`))}`;
  });
  return `<h2>${escaped(t("join.overview"))}</h2>${svg.outerHTML}
<div class="axis">${axis.join("")}</div><ul class="legend">${legend.join("")}</ul>`;
}

/** CSV as spreadsheets read it: with the mark that says UTF-8, or Korean notes would come out wrong. */
function table(heads, rows) {
  return `\ufeff${[heads, ...rows].map((cells) => cells.map(cell).join(",")).join("\r\n")}\r\n`;
}

function cell(value) {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function seconds(value) {
  return value === null ? "" : value.toFixed(2);
}

function escaped(text) {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
