// A time cursor over all charts of a person, with the values under it. The report reads just as well without.
"use strict";
const clock = (s) => {
  const whole = Math.floor(s), pad = (n) => String(n).padStart(2, "0");
  const h = Math.floor(whole / 3600), m = Math.floor(whole / 60) % 60;
  return h ? `${h}:${pad(m)}:${pad(whole % 60)}` : `${m}:${pad(whole % 60)}`;
};
for (const section of document.querySelectorAll(".section[data-start]")) {
  const data = JSON.parse(section.querySelector("script[type='application/json']").textContent);
  const start = Number(section.dataset.start), end = Number(section.dataset.end);
  const cursors = section.querySelectorAll(".cursor"), readout = section.querySelector(".readout");
  const show = (share) => {
    const at = Math.min(Math.max(share, 0), 1);
    const bin = Math.min(Math.floor(at * data.count), data.count - 1);
    for (const line of cursors) {
      line.setAttribute("x1", `${100 * at}%`);
      line.setAttribute("x2", `${100 * at}%`);
    }
    const values = data.curves.filter((c) => c.values[bin] !== null).map((c) => `${c.name} ${c.values[bin]}${c.unit}`);
    const seen = values.length ? values.join("  ·  ") : "face not seen";
    readout.textContent = `${clock(start + at * (end - start))}   ${seen}`;
    readout.hidden = false;
    section.classList.add("live");
  };
  for (const plot of section.querySelectorAll(".plot")) {
    plot.addEventListener("pointermove", (event) => {
      const box = plot.getBoundingClientRect();
      show((event.clientX - box.left) / box.width);
    });
  }
  for (const link of section.querySelectorAll("a.code")) {
    link.addEventListener("click", () => show((Number(link.dataset.at) - start) / (end - start)));
  }
}
