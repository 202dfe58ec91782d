/** The icons, drawn for this project on a grid of 24: lines in the colour of the text beside them. */

const SVG = "http://www.w3.org/2000/svg";

/** Lines of each icon as SVG path data; a leading "=" fills the shape. */
const ICONS = Object.freeze({
  mien: ["M12 2.5c5 0 8.2 3.2 8.2 8.6 0 6-3.7 10.4-8.2 10.4s-8.2-4.4-8.2-10.4C3.8 5.7 7 2.5 12 2.5z", "M7.6 10.3c.8-.9 2.2-.9 3 0M13.4 10.3c.8-.9 2.2-.9 3 0", "M8.5 14.5c1.8 2.3 5.2 2.3 7 0"],
  live: ["M3 7.5A1.5 1.5 0 0 1 4.5 6h9A1.5 1.5 0 0 1 15 7.5v9a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 3 16.5z", "M15 10.5l6-3.5v10l-6-3.5"],
  clips: ["M4 5h16v14H4z", "M8 5v14M16 5v14M4 9.7h4M4 14.3h4M16 9.7h4M16 14.3h4"],
  sessions: ["M12 7v5l3.3 2", "M4.2 9a8.3 8.3 0 1 1-.4 4.5", "M3.5 4.5V9H8"],
  lock: ["M6 10.5h12a1 1 0 0 1 1 1V19a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 5 19v-7.5a1 1 0 0 1 1-1z", "M8 10.5V8a4 4 0 0 1 8 0v2.5"],
  unlock: ["M6 10.5h12a1 1 0 0 1 1 1V19a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 5 19v-7.5a1 1 0 0 1 1-1z", "M8 10.5V8a4 4 0 0 1 7.6-1.7"],
  camera: ["M3 7.5A1.5 1.5 0 0 1 4.5 6h9A1.5 1.5 0 0 1 15 7.5v9a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 3 16.5z", "M15 10.5l6-3.5v10l-6-3.5"],
  "camera-off": ["M8.5 6h5A1.5 1.5 0 0 1 15 7.5v5M15 16.5a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 3 16.5v-9", "M15 10.5l6-3.5v10l-3-1.8", "M3.5 3.5l17 17"],
  unplugged: ["M9 3.5V7M15 3.5V7", "M6.5 7h11v3.5a5.5 5.5 0 0 1-11 0z", "M12 16v1.5M12 20.2v.3"],
  play: ["=M7.5 4.8v14.4a.8.8 0 0 0 1.2.7l11.5-7.2a.8.8 0 0 0 0-1.4L8.7 4.1a.8.8 0 0 0-1.2.7z"],
  pause: ["M8 5v14M16 5v14"],
  stop: ["=M7.5 6h9A1.5 1.5 0 0 1 18 7.5v9a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 6 16.5v-9A1.5 1.5 0 0 1 7.5 6z"],
  record: ["M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17z", "=M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8z"],
  calibrate: ["M12 6.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11z", "M12 3v3.5M12 17.5V21M3 12h3.5M17.5 12H21", "M10 13.3c1.2 1 2.8 1 4 0"],
  mirror: ["M12 3v18", "M9 7.5L3.5 16.5H9z", "M15 7.5l5.5 9H15z"],
  zoom: ["M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13z", "M15.3 15.3L20.5 20.5", "M10.5 8v5M8 10.5h5"],
  face: ["M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17z", "M9 9.8v.4M15 9.8v.4", "M8.5 14c1.7 2.2 5.3 2.2 7 0"],
  "face-lost": ["M4 8.5V5.5A1.5 1.5 0 0 1 5.5 4h3M15.5 4h3A1.5 1.5 0 0 1 20 5.5v3M20 15.5v3a1.5 1.5 0 0 1-1.5 1.5h-3M8.5 20h-3A1.5 1.5 0 0 1 4 18.5v-3", "M9.8 9.7a2.3 2.3 0 1 1 3.3 2.1c-.7.4-1.1.9-1.1 1.7M12 16.3v.2"],
  people: ["M9 5a3.3 3.3 0 1 1 0 6.6A3.3 3.3 0 0 1 9 5z", "M2.8 19.5c.3-3.3 2.8-5.4 6.2-5.4s5.9 2.1 6.2 5.4", "M15.5 5.4a3.3 3.3 0 0 1 0 5.9M17.5 14.6c2.1.7 3.5 2.4 3.7 4.9"],
  slow: ["M4.5 17.5a8.5 8.5 0 1 1 15 0", "M12 14.5L8.5 10.5", "M12 14.5v.1"],
  server: ["M4 5h16v6H4zM4 13h16v6H4z", "M7.5 8v.1M7.5 16v.1"],
  windows: ["M8 8h12v12H8z", "M16 8V4H4v12h4"],
  warning: ["M12 4L2.8 19.5h18.4z", "M12 10v4.2M12 17v.1"],
  info: ["M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17z", "M12 11v5M12 8v.1"],
  check: ["M4.5 12.5l5 5L19.5 7"],
  close: ["M6 6l12 12M18 6L6 18"],
  plus: ["M12 5v14M5 12h14"],
  minus: ["M5 12h14"],
  picture: ["M4 5h16v14H4z", "M4 16l4.5-4.5 4 4 3-3L20 17", "M15.5 8.8v.1"],
  upload: ["M12 15.5V4M7.5 8L12 3.5 16.5 8", "M4.5 15v4a1.5 1.5 0 0 0 1.5 1.5h12a1.5 1.5 0 0 0 1.5-1.5v-4"],
  download: ["M12 3.5V15M7.5 11l4.5 4.5L16.5 11", "M4.5 16v3A1.5 1.5 0 0 0 6 20.5h12a1.5 1.5 0 0 0 1.5-1.5v-3"],
  report: ["M6 3.5h8.5L19 8v12.5H6z", "M14 3.5V8.5h5", "M9 16.5l2-3 2 1.8 2.5-3.8"],
  table: ["M4 5h16v14H4zM4 10h16M4 14.5h16M10 5v14"],
  trash: ["M4.5 6.5h15M9.5 6.5V4h5v2.5M6.5 6.5l.8 13.5h9.4l.8-13.5M10 10.5v5.5M14 10.5v5.5"],
  edit: ["M4 20l.8-4L16 4.8a1.6 1.6 0 0 1 2.3 0l.9.9a1.6 1.6 0 0 1 0 2.3L8 19.2z", "M14 6.8L17.2 10"],
  keep: ["M5 4h11l3.5 3.5V20H5z", "M8.5 4v5h6V4M8.5 20v-6h7v6"],
  retry: ["M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9", "M19.5 4.5V9H15"],
  link: ["M10 14a4 4 0 0 0 5.7 0l3.1-3.1a4 4 0 0 0-5.7-5.7L12 6.3", "M14 10a4 4 0 0 0-5.7 0l-3.1 3.1a4 4 0 0 0 5.7 5.7l1.1-1.1"],
  copy: ["M9 9h11v11H9z", "M15 9V4H4v11h5"],
  microphone: ["M12 3.5a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0v-5a3 3 0 0 1 3-3z", "M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3"],
  "microphone-off": ["M15 9V6.5a3 3 0 0 0-5.8-1M9 9.5v2a3 3 0 0 0 4.5 2.6", "M5.5 11.5a6.5 6.5 0 0 0 10.4 5.2M18.5 11.5c0 .8-.1 1.5-.4 2.2M12 18v3", "M3.5 3.5l17 17"],
  chart: ["M4 4v16h16", "M7 15.5l3.5-5 3 3L19 6.5"],
  sun: ["M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8z", "M12 2.8v2M12 19.2v2M2.8 12h2M19.2 12h2M5.5 5.5l1.4 1.4M17.1 17.1l1.4 1.4M5.5 18.5l1.4-1.4M17.1 6.9l1.4-1.4"],
  moon: ["M19.5 14.5A8.3 8.3 0 0 1 9.5 4.5a8.3 8.3 0 1 0 10 10z"],
  contrast: ["M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17z", "=M12 3.5v17a8.5 8.5 0 0 0 0-17z"],
  language: ["M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17z", "M3.5 12h17M12 3.5c2.5 2.4 3.5 5.3 3.5 8.5s-1 6.1-3.5 8.5c-2.5-2.4-3.5-5.3-3.5-8.5S9.5 5.9 12 3.5z"],
  expand: ["M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5"],
  sound: ["M4 9.5h3.5L12 5.5v13l-4.5-4H4z", "M15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11"],
  "sound-off": ["M4 9.5h3.5L12 5.5v13l-4.5-4H4z", "M16 9.5l5 5M21 9.5l-5 5"],
  open: ["M13.5 4.5h6v6M19.5 4.5L11 13", "M17.5 13.5v6h-13v-13h6"],
  next: ["M9 5l7 7-7 7"],
  previous: ["M15 5l-7 7 7 7"],
});

/**
 * One icon. It is decoration: what it stands for is said by the text beside it or by the label of its button.
 * @param {string} name a key of ICONS
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.dataset.name = name;
  for (const line of ICONS[name] ?? []) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", line.replace("=", ""));
    if (line.startsWith("=")) path.setAttribute("class", "solid");
    svg.append(path);
  }
  return svg;
}

/** Put the icons in place of the elements marked data-icon="name". @param {ParentNode} root */
export function drawIcons(root) {
  for (const place of root.querySelectorAll("[data-icon]")) {
    place.replaceWith(icon(/** @type {HTMLElement} */ (place).dataset.icon ?? ""));
  }
}
