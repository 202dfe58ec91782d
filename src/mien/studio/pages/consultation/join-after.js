// After the call: why it ended, the files to take along, the report if one was sent.

import { icon } from "../icons.js";
import { make } from "../make.js";
import { emotionsCsv, marksCsv, notesPage, save } from "./notes-file.js";
import { buttons, notice } from "../notice.js";
import { reportPage } from "./report-file.js";
import { language, percent, t } from "../text.js";

export class Afterwards {
  #place;
  #call;
  #notes;
  #again;
  #shown = "";
  #report = null;
  #reportSaved = false;
  #status = make("div", { role: "status" });

  /**
   * @param {HTMLElement} place
   * @param {import("./clinician-call.js").ClinicianCall} call
   * @param {import("./notes.js").Notes} notes
   * @param {() => void} again asks to be let in once more
   */
  constructor(place, call, notes, again) {
    this.#place = place;
    this.#call = call;
    this.#notes = notes;
    this.#again = again;
  }

  /** Whether something would be lost with the page. */
  get unsaved() {
    return this.#notes.unsaved || (this.#report !== null && !this.#reportSaved);
  }

  /** @param {Blob} blob that the patient agreed to send */
  report(blob) {
    this.#report = blob;
    this.#reportSaved = false;
    this.render();
  }

  render() {
    const { stage, why, record } = this.#call;
    if (stage !== "ended") return;
    this.#showReport();
    const shown = [why, record.length, language].join();
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#place.replaceChildren(
      make("h1", {}, t("join.ended.title")), make("p", { class: "lead" }, t(`join.ended.${why}`)),
      ...(why === "patient" ? [] : [buttons([{ text: t("join.ended.again"), icon: "retry", run: this.#again }])]),
      make("section", { class: "sheet" }, make("h2", {}, t("join.files")), make("p", { class: "hint" }, t("join.files.hint")), this.#files()),
      this.#status,
    );
  }

  #files() {
    const stem = this.#stem();
    const files = [{
      text: t("join.files.notes"), icon: "report", kind: "primary",
      run: () => {
        save(`${stem}-notes.html`, notesPage(this.#call, this.#notes), "text/html");
        this.#notes.unsaved = false;
      },
    }, { text: t("join.files.marks"), icon: "table", run: () => save(`${stem}-marks.csv`, marksCsv(this.#notes.marks), "text/csv") }];
    if (this.#call.record.length) {
      files.push({ text: t("join.files.emotions"), icon: "chart", run: () => save(`${stem}-emotions.csv`, emotionsCsv(this.#call.record), "text/csv") });
    }
    return buttons(files);
  }

  #showReport() {
    const { reportShare } = this.#call;
    if (this.#report) {
      const keep = async () => {
        save(`${this.#stem()}-report.html`, reportPage(await this.#report.text()), "text/html");
        this.#reportSaved = true;
      };
      this.#status.replaceChildren(notice({
        icon: "report", tone: "good", title: t("join.report.title"), text: t("join.report.text"),
        actions: [{ text: t("join.report.save"), icon: "download", kind: "primary", run: keep }],
      }));
    } else if (reportShare !== null) {
      this.#status.replaceChildren(make("p", { class: "busy" }, icon("report"), t("join.report.coming", { share: percent(reportShare) })));
    } else {
      this.#status.replaceChildren(make("p", { class: "hint" }, t("join.report.none")));
    }
  }

  #stem() {
    const date = new Date(Date.now() - (performance.now() - this.#call.began));
    const two = (number) => String(number).padStart(2, "0");
    const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
    return `consultation-${day}-${two(date.getHours())}${two(date.getMinutes())}`;
  }
}
