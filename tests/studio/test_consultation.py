"""A consultation of two browser windows: what flows, from when on, and what never does."""

from __future__ import annotations

import base64
import json
import re
import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from consulting import Hall, admit, button, hall, invite, knock, messages, seen_colour, together
from emotion.synthetic import bump, face, smiling, timeline
from mien.emotion.report import report_html
from patience import eventually, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Page

TEXTS = Path(__file__).parents[2] / "src/mien/studio/pages/texts"
ROW = {
    "time": 1, "seen": True, "confidence": 1,
    "emotions": {"angry": 0, "disgust": 0, "fear": 0, "happy": 1, "sad": 0, "surprise": 0, "neutral": 0},
}  # fmt: skip


@pytest.fixture(scope="module")
def studio() -> Iterator[Hall]:
    with hall() as one:
        yield one


@pytest.fixture(autouse=True)
def _tidy(studio: Hall) -> Iterator[None]:
    """Every test has windows of its own, and none makes a page complain."""
    studio.wire.texts.clear()
    studio.wire.spoil = None
    studio.complaints.clear()
    yield
    for context in studio.browser.contexts:
        context.close()
    assert studio.complaints == []


def says(page: Page, text: str) -> None:
    page.get_by_text(text).first.wait_for()


def rows_said(patient: Page) -> int:
    count: int = patient.evaluate("said.filter(([channel]) => channel === 'emotions').length")
    return count


def turns(clinician: Page, colour: tuple[int, int, int]) -> None:
    """Wait until the picture has that colour."""
    wait_for(lambda: seen_colour(clinician) == pytest.approx(colour, abs=14))


def bars(clinician: Page) -> str:
    return clinician.locator("#emotions").inner_text()


def test_nothing_flows_before_the_patient_has_said_yes(studio: Hall) -> None:
    patient = studio.patient()
    clinician = studio.clinician(invite(patient))
    knock(clinician)
    says(patient, "Dr Kim would like to join. Let them in?")
    clinician.wait_for_timeout(500)
    assert patient.evaluate("connections.length") == clinician.evaluate("connections.length") == 0
    assert patient.evaluate("sent") == []
    signals = [message for message in messages(studio.wire.texts) if message.get("do") == "signal"]
    assert len(signals) == 2  # the welcome, and the hello with a name

    button(patient, "No").click()
    says(clinician, "You were not let in")
    assert patient.evaluate("connections.length") == clinician.evaluate("connections.length") == 0
    assert len([message for message in messages(studio.wire.texts) if message.get("do") == "signal"]) == 3

    button(clinician, "Ask again").click()
    admit(patient)
    says(patient, "Dr Kim is here")
    assert clinician.evaluate("connections.length") == 1


def test_the_clinician_sees_the_canvas_and_nothing_else_is_ever_sent(studio: Hall) -> None:
    patient, clinician = together(studio)
    for colour, expected in [("#e01010", (224, 16, 16)), ("#1020d0", (16, 32, 208)), ("#20c040", (32, 192, 64))]:
        patient.evaluate("(colour) => { window.colour = colour; }", colour)
        turns(clinician, expected)
    for voice in ("Natural", "Off", "Masked"):
        patient.get_by_role("radio", name=voice).check()
        says(clinician, {"Natural": "Natural voice", "Off": "Voice off", "Masked": "Voice masked"}[voice])
        sent = None if voice == "Off" else "audio MediaStreamTrack MediaStreamAudioDestinationNode"
        patient.wait_for_function("(sent) => senders()[1] === sent", arg=sent)
    assert {str(track).split()[0] for track in patient.evaluate("senders()")} == {"video", "audio"}
    for track in [*patient.evaluate("sent"), *patient.evaluate("senders()")]:
        ours = ("video CanvasCaptureMediaStreamTrack", "audio MediaStreamTrack MediaStreamAudioDestinationNode")
        assert track in (None, "audio") or track.startswith(ours), track
    button(clinician, "Microphone off").click()
    says(patient, "Dr Kim's microphone is on")
    button(clinician, "Microphone on").click()
    says(patient, "Dr Kim's microphone is off")
    assert [track for track in clinician.evaluate("senders()") if track] == []


def test_the_clinician_sees_the_whole_picture(studio: Hall) -> None:
    _, clinician = together(studio)
    for size in ({"width": 1280, "height": 800}, {"width": 360, "height": 740}):
        clinician.set_viewport_size(size)  # type: ignore[arg-type]
        over = clinician.evaluate("""() => {
            const place = (id) => document.querySelector(id).getBoundingClientRect();
            const [video, screen] = [place("#picture"), place("#screen")];
            const [above, left] = [screen.top - video.top, screen.left - video.left];
            return [above, left, video.bottom - screen.bottom, video.right - screen.right];
        }""")
        assert max(over) < 1, size


def test_the_voice_is_heard(studio: Hall) -> None:
    patient, clinician = together(studio)
    heard = """async (tries) => {
      let most = 0;
      for (let i = 0; i < tries && most < 0.01; i += 1) {
        await new Promise((done) => setTimeout(done, 100));
        const stats = await connections[0].getStats();
        const sound = [...stats.values()].find(({ type, kind }) => type === "inbound-rtp" && kind === "audio");
        most = Math.max(most, sound?.audioLevel ?? 0);
      }
      return most;
    }"""
    patient.get_by_role("radio", name="Natural").check()
    assert clinician.evaluate(heard, 600) > 0.01  # the browser's pretended microphone beeps
    assert clinician.locator("#unmute").is_hidden()
    patient.get_by_role("radio", name="Off").check()
    wait_for(lambda: clinician.evaluate(heard, 12) < 0.001)  # what was on its way is over


def test_emotions_flow_only_while_the_patient_wants_it(studio: Hall) -> None:
    patient, clinician = together(studio)
    patient.evaluate("live()")
    says(clinician, "Emotions are not shared")
    patient.wait_for_timeout(400)
    assert rows_said(patient) == 0
    switch = patient.get_by_role("switch", name="Emotions")
    began = time.monotonic()
    switch.click()
    clinician.get_by_text("Emotions are not shared").wait_for(state="hidden")
    clinician.wait_for_function("() => document.querySelector('#emotions').innerText.includes('%')")
    wait_for(lambda: rows_said(patient) >= 4)
    rows = rows_said(patient)
    assert rows <= 2 + 5 * (time.monotonic() - began)  # five a second at most
    says(clinician, "Since the beginning")
    says(clinician, "Face seen 100% of the time received")
    switch.click()
    says(clinician, "Emotions are not shared")
    said = rows_said(patient)
    patient.wait_for_timeout(400)
    assert rows_said(patient) == said


def test_somebody_new_gets_no_emotions_and_no_natural_voice_that_another_had(studio: Hall) -> None:
    patient, clinician = together(studio)
    patient.evaluate("live()")
    patient.get_by_role("radio", name="Natural").check()
    says(clinician, "Natural voice")
    patient.get_by_role("switch", name="Emotions").click()
    clinician.get_by_text("Emotions are not shared").wait_for(state="hidden")
    link = clinician.url
    button(clinician, "Leave").click()
    clinician.locator("dialog").get_by_role("button", name="Leave").click()
    says(patient, "Dr Kim has left")
    assert patient.evaluate("panelEvents") == ["connected", "disconnected"]
    said = rows_said(patient)
    other = studio.clinician(link)
    knock(other, "Dr Lee")
    says(patient, "Dr Lee would like to join")
    admit(patient)
    says(patient, "Dr Lee is here")
    says(other, "Emotions are not shared")
    says(other, "Voice masked")
    assert patient.get_by_role("radio", name="Masked").is_checked()
    assert not patient.get_by_role("switch", name="Emotions").is_checked()
    patient.wait_for_timeout(500)
    assert rows_said(patient) == said


def test_the_report_is_sent_only_if_the_patient_says_so(studio: Hall) -> None:
    patient, clinician = together(studio)
    patient.evaluate(
        """() => {
          window.asked = 0;
          window.text = "<script>document.body.remove()</script>" + "0123456789".repeat(60000);
          panel.report(async () => { window.asked += 1; return new Blob([window.text]); });
        }"""
    )
    says(patient, "Send the report of this session to Dr Kim?")
    says(clinician, "The patient has ended the call.")
    says(clinician, "No report was sent.")
    patient.wait_for_timeout(300)
    assert patient.evaluate("asked") == 0
    assert patient.evaluate("said.filter(([channel]) => channel === 'report').length") == 0
    assert patient.evaluate("senders()") == [None, None]  # no picture and no sound while the question stands
    button(patient, "Send the report").click()
    with clinician.expect_download() as download:
        button(clinician, "Save the report").click()
    assert re.fullmatch(r"consultation-\d{4}-\d\d-\d\d-\d{4}-report\.html", download.value.suggested_filename)
    shown = studio.browser.new_context(java_script_enabled=False).new_page()
    shown.set_content(Path(download.value.path()).read_text("utf-8"))
    assert shown.locator("iframe").get_attribute("srcdoc") == '<base href="about:srcdoc">' + patient.evaluate(
        "window.text"
    )
    says(patient, "Dr Kim has the report.")
    assert clinician.get_by_role("heading", name="The consultation has ended").is_visible()


HOSTILE = """<!doctype html><title>"&quot;</title><p>a report, 100&#37; 보고서</p></iframe>">
<script>top.alive = 1</script>
<link rel="stylesheet" href="{web}/style"><link rel="prefetch" href="{web}/prefetch">
<link rel="preload" as="image" href="{web}/preload"><link rel="modulepreload" href="{web}/module">
<img src="{web}/img"><iframe src="{web}/frame"></iframe><iframe src="file:///etc/hostname"></iframe>
<video src="{web}/video"></video><object data="{web}/object"></object>
<meta http-equiv="refresh" content="2;{web}/refresh">
<form action="{web}/form" target="_blank"><input name="a"></form><style>p {{ background: url({web}/css) }}</style>
<script>
window.tried = [];
const attempt = async (name, what) => {{
  try {{ await what(); window.tried.push(name); }} catch {{ /* as it should be */ }}
}};
attempt("parent", () => parent.document.title);
attempt("storage", () => localStorage.setItem("a", "b"));
attempt("fetch", () => fetch("{web}/fetch"));
attempt("file", () => fetch("file:///etc/hostname"));
attempt("socket", () => new WebSocket("{web}/socket".replace("http", "ws")));
attempt("beacon", () => navigator.sendBeacon("{web}/beacon"));
attempt("popup", () => window.open("{web}/popup").focus());
attempt("top", () => {{ top.location = "{web}/top"; }});
attempt("form", () => document.forms[0].submit());
attempt("worker", () => new Worker("data:text/javascript,fetch('{web}/worker')"));
attempt("stun", async () => {{
  const connection = new RTCPeerConnection({{ iceServers: [{{ urls: "stun:127.0.0.1:{stun}" }}] }});
  connection.createDataChannel("a");
  await connection.setLocalDescription();
}});
setTimeout(() => {{ location = "{web}/self"; }}, 1500);
</script>"""


class Listener(BaseHTTPRequestHandler):
    """Notes whoever asks for anything."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_error(404)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *args: Any) -> None: ...


def test_a_report_with_bad_intentions_reaches_nothing(studio: Hall, tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    Thread(target=server.serve_forever, daemon=True).start()
    with server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stun:
        stun.bind(("127.0.0.1", 0))
        stun.settimeout(0.1)
        web = f"http://127.0.0.1:{server.server_port}"
        report = HOSTILE.format(web=web, stun=stun.getsockname()[1])
        maker = studio.clinician()
        wrap = """async (report) => (await import("/static/consultation/report-file.js")).reportPage(report)"""
        file = tmp_path / "report.html"
        file.write_text(maker.evaluate(wrap, report), encoding="utf-8")
        page = studio.browser.new_context().new_page()
        page.goto(file.as_uri())
        frame = page.frames[1]
        frame.get_by_text("a report, 100% 보고서").wait_for()
        page.wait_for_timeout(500)
        assert frame.evaluate("window.tried ?? null") is None  # no script but that of mien's own reports runs
        page.wait_for_timeout(2000)
        assert Listener.asked == []
        with pytest.raises(TimeoutError):
            stun.recv(100)
        assert page.url == file.as_uri()
        assert page.evaluate("window.alive") is None
        assert page.locator("body > *").count() == 2
        server.shutdown()


def test_a_report_of_ours_works_in_there(studio: Hall, tmp_path: Path) -> None:
    record = timeline([i / 10 for i in range(300)], lambda time: face(smiling(0.7 * bump(time, 5, 4))))
    report = report_html(record, title="Visit")
    wrap = """async (report) => (await import("/static/consultation/report-file.js")).reportPage(report)"""
    file = tmp_path / "report.html"
    file.write_text(studio.clinician().evaluate(wrap, report), encoding="utf-8")
    page = studio.browser.new_context().new_page()
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text))
    page.goto(file.as_uri())
    frame = page.frame_locator("iframe")
    frame.get_by_role("heading", name="Visit").wait_for()
    assert frame.locator(".readout").first.is_hidden()
    frame.locator(".plot").first.hover()
    frame.locator(".readout").first.wait_for()  # the cursor: its script runs
    frame.locator("a.code").first.click()
    page.wait_for_timeout(300)
    assert frame.get_by_role("heading", name="Visit").count() == 1  # a link within leads nowhere else
    assert refused == []


def test_a_report_that_is_refused_never_leaves(studio: Hall) -> None:
    patient, clinician = together(studio)
    patient.evaluate("panel.report(async () => { window.asked = true; return new Blob(['report']); })")
    button(patient, "Do not send it").click()
    says(patient, "No report was sent. The link no longer works.")
    assert patient.evaluate("[window.asked ?? false, said.some(([channel]) => channel === 'report')]") == [False, False]
    says(clinician, "No report was sent.")
    late = studio.clinician(clinician.url)
    knock(late)
    says(late, "This link is no longer good")


def test_the_relay_sees_nothing_but_sealed_messages(studio: Hall) -> None:
    patient, clinician = together(studio)
    code = clinician.url.split("#")[1]
    patient.evaluate("panel.end()")
    says(clinician, "The consultation has ended")
    kinds = {
        ("do", "key", "room"), ("do", "room"), ("data", "do"), ("data", "is"), ("expires", "ice", "is", "policy"),
        ("ice", "is", "policy"), ("here", "is"), ("do",),
    }  # fmt: skip
    # The clinician is told by the patient's page; its goodbye to the relay may still be on its way.
    eventually(lambda: kinds <= {tuple(sorted(message)) for message in messages(studio.wire.texts)})
    said = messages(studio.wire.texts)
    assert {tuple(sorted(message)) for message in said} == kinds
    sealed = [message["data"] for message in said if "data" in message]
    opened = b"".join(base64.urlsafe_b64decode(data + "==") for data in sealed).decode("latin-1")
    wire = "\n".join([*studio.wire.texts, opened])
    secrets = [code, *code.split("-"), "candidate", "ufrag", "Dr Kim", "hello", "192.168", "127.0.0.1"]
    own = patient.evaluate("connections[0].localDescription.sdp")
    secrets += re.findall(r"a=fingerprint:sha-256 (\S+)", own) + re.findall(r"a=ice-pwd:(\S+)", own)
    assert len(secrets) > 12
    assert [secret for secret in secrets if secret in wire] == []
    assert len(opened) > 3000


def test_a_drop_of_the_line_to_the_relay_does_not_disturb_the_call(studio: Hall) -> None:
    patient, clinician = together(studio)
    patient.get_by_role("radio", name="Natural").check()
    studio.wire.cut()
    patient.wait_for_timeout(500)
    says(patient, "Dr Kim is here")
    patient.evaluate("window.colour = '#e01010'")
    turns(clinician, (224, 16, 16))
    assert len([one for one in messages(studio.wire.texts) if one.get("do") == "open"]) == 2  # the same room again
    assert patient.get_by_role("radio", name="Natural").is_checked()  # and the same person

    # The way between the two is lost: a new one is found through the line that came back.
    ufrag = "connections[0].remoteDescription.sdp.match(/ice-ufrag:(\\S+)/)[1]"
    before = clinician.evaluate(ufrag)
    patient.evaluate(
        """() => {
          Object.defineProperty(connections[0], "connectionState", { configurable: true, get: () => "failed" });
          connections[0].dispatchEvent(new Event("connectionstatechange"));
        }"""
    )
    says(patient, "The connection to Dr Kim is interrupted.")
    clinician.wait_for_function(f"() => {ufrag} !== '{before}'")
    patient.evaluate(
        """() => {
          delete connections[0].connectionState;
          connections[0].dispatchEvent(new Event("connectionstatechange"));
        }"""
    )
    patient.get_by_text("is interrupted").wait_for(state="hidden")
    patient.evaluate("window.colour = '#1020d0'")
    turns(clinician, (16, 32, 208))
    assert clinician.evaluate("connections.length") == 1


def test_a_second_window_with_the_same_link_is_refused(studio: Hall) -> None:
    patient, clinician = together(studio)
    second = studio.clinician(clinician.url)
    knock(second, "Mallory")
    says(second, "Somebody is already in this consultation")
    assert patient.get_by_text("Mallory").count() == 0
    says(patient, "Dr Kim is here")


def test_links_that_lead_nowhere_say_so(studio: Hall) -> None:
    page = studio.clinician(f"{studio.join_url}#7k2mq-9dxfa-h3vtp-w8rnc")
    knock(page)
    says(page, "This link is no longer good")
    broken = studio.clinician(f"{studio.join_url}#7k2mq-9dxfa")
    says(broken, "This link is incomplete.")
    broken.get_by_label("Code of the invitation").fill("7k2mq")
    knock(broken)
    says(broken, "That is not the code of an invitation.")
    nameless = studio.clinician(f"{studio.join_url}#7k2mq-9dxfa-h3vtp-w8rnc")
    button(nameless, "Ask to join").click()
    says(nameless, "Type the name that the patient shall see.")


def test_a_name_is_text_and_nothing_more(studio: Hall) -> None:
    patient = studio.patient()
    clinician = studio.clinician(invite(patient))
    knock(clinician, "<img src=x onerror=alert(1)>\u202e{name}")
    says(patient, "<img src=x onerror=alert(1)>{name} would like to join")
    assert patient.locator("#place img").count() == 0


def test_a_patient_with_bad_intentions_cannot_hurt_the_clinicians_page(studio: Hall) -> None:
    patient, clinician = together(studio)
    hostile = json.dumps({**ROW, "time": "<img src=x onerror=alert(1)>"})
    patient.evaluate(
        """async ([row, hostile]) => {
          const { control, emotions, report } = window.channels;
          control.send(JSON.stringify({kind: "sharing", voice: "masked", emotions: true, hidden: false, time: 1e308}));
          control.send(JSON.stringify({kind: "sharing", voice: "<b>", emotions: true, hidden: false}));
          control.send("x".repeat(200000));
          control.send(new Uint8Array(100));
          const empty = JSON.stringify({...row, emotions: {happy: NaN}});
          const junk = [hostile, "{", "null", "[[[[".repeat(5000), empty, "x".repeat(100000)];
          for (const text of junk) emotions.send(text);
          for (let i = 0; i < 5000; i += 1) emotions.send(JSON.stringify({...row, time: i}));
          report.send(JSON.stringify({size: 1e12}));
          report.send(JSON.stringify({size: 100}));
          for (let i = 0; i < 200; i += 1) report.send(new Uint8Array(16384));
          await new Promise((done) => setTimeout(done, 800));
        }""",
        [ROW, hostile],
    )
    clinician.wait_for_function("() => document.querySelector('#emotions').innerText.includes('100%')")
    clinician.wait_for_timeout(1200)
    assert clinician.locator("img, b").count() == 0
    clinician.evaluate(
        """() => {
          const microphone = JSON.stringify({kind: "microphone", on: "<img src=x>"});
          const junk = ["", "{", "x".repeat(100000), microphone, "received"];
          for (const channel of Object.values(window.channels)) for (const text of junk) channel.send(text);
        }"""
    )
    says(patient, "Dr Kim's microphone is off")
    says(clinician, "Voice masked")
    assert clinician.locator("#after").is_hidden()
    clinician.keyboard.press("m")
    assert clinician.locator(".marks li").count() == 1
    clinician.keyboard.press("Escape")
    with clinician.expect_event("dialog") as asked:  # unsaved notes
        clinician.close(run_before_unload=True)
    assert asked.value.type == "beforeunload"
    asked.value.accept()


def test_notes_are_kept_in_the_page_and_saved_as_files(studio: Hall) -> None:
    patient, clinician = together(studio)
    patient.evaluate("live()")
    patient.get_by_role("switch", name="Emotions").click()
    clinician.wait_for_function("() => document.querySelector('#emotions').innerText.includes('%')")
    clinician.wait_for_timeout(1000)
    clinician.keyboard.press("m")
    clinician.keyboard.type('smiles, says "no" <b>mmm</b>')
    clinician.keyboard.press("Enter")
    button(clinician, "Mark this moment M").click()
    clinician.keyboard.type("to be deleted")
    clinician.keyboard.press("Enter")
    assert clinician.locator(".marks li").count() == 2
    clinician.locator(".marks li").first.get_by_role("button").click()
    assert clinician.locator(".marks li").count() == 1
    button(clinician, "Undo").click()
    assert clinician.locator(".marks input").first.input_value() == "to be deleted"
    clinician.locator(".marks li").first.get_by_role("button").click()
    clinician.get_by_label("Free notes").fill("first line\n=second <script>")
    clinician.locator(".marks input").fill('smiles, says "no" <b>later</b>')
    patient.evaluate("panel.end()")
    says(clinician, "The consultation has ended")
    files = {name: saved(clinician, name) for name in ("Notes (HTML)", "Marks (CSV)", "Emotions (CSV)")}
    notes = files["Notes (HTML)"]
    assert "smiles, says &#34;no&#34; &#60;b&#62;later&#60;/b&#62;" in notes
    assert "=second &#60;script&#62;" in notes
    assert "not a diagnosis" in notes
    assert "to be deleted" not in notes
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|<script|<img", notes)
    _, mark = files["Marks (CSV)"].removeprefix("\ufeff").split("\r\n")[:2]
    assert re.fullmatch(r'\d+\.\d\d,\d+\.\d\d,"smiles, says ""no"" <b>later</b>"', mark)
    heads, row = files["Emotions (CSV)"].removeprefix("\ufeff").split("\r\n")[:2]
    assert heads == "call_s,session_s,seen,confidence,angry,disgust,fear,happy,sad,surprise,neutral"
    assert sum(float(share) for share in row.split(",")[4:]) == pytest.approx(1, abs=0.01)
    stores = "indexedDB.databases(), caches.keys(), {...localStorage}, {...sessionStorage}, document.cookie"
    assert clinician.evaluate(f"Promise.all([{stores}])") == [[], [], {}, {}, ""]
    shown = studio.browser.new_context().new_page()
    shown.set_content(notes)
    assert shown.locator("svg path").count() == 8
    assert shown.locator("td b, script").count() == 0


def saved(page: Page, name: str) -> str:
    with page.expect_download() as download:
        button(page, name).click()
    return Path(download.value.path()).read_bytes().decode()


def test_the_clinician_is_told_what_stands_still_and_why(studio: Hall) -> None:
    patient, clinician = together(studio)
    patient.evaluate(
        """() => {
          Object.defineProperty(document, "hidden", { configurable: true, value: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    says(clinician, "The patient has another window in front")
    patient.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    clinician.get_by_text("another window").wait_for(state="hidden")
    patient.evaluate("clearInterval(drawing)")
    says(clinician, "No new picture for 4 s")
    patient.close()
    says(clinician, "The patient has ended the call.")


def test_a_voice_without_a_microphone_is_off_and_says_why(studio: Hall) -> None:
    patient = studio.patient()
    patient.evaluate(
        """() => {
          navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("", "NotAllowedError"); };
        }"""
    )
    clinician = studio.clinician(invite(patient))
    knock(clinician)
    admit(patient)
    says(patient, "The browser was not allowed to use the microphone.")
    assert patient.get_by_role("radio", name="Off").is_checked()
    says(clinician, "Voice off")


def test_a_relay_that_does_not_answer_is_waited_for(studio: Hall) -> None:
    studio.wire.closed = True
    patient = studio.patient()
    button(patient, "Make an invitation").click()
    says(patient, "The relay does not answer.")
    studio.wire.closed = False
    says(patient, "Your invitation is ready")
    studio.complaints.clear()  # the browser's own words on a refused line


def lying(studio: Hall, **lies: Any) -> None:
    """Let the relay tell both, where it lets them in, something else."""

    def spoil(text: str) -> str:
        message = json.loads(text)
        return json.dumps({**message, **lies}) if message["is"] in ("open", "joined") else text

    studio.wire.spoil = spoil


BAD_SERVERS = [[{"urls": "https://example.org"}], [None], [7], [{"urls": ["turn:x"]}], [{"urls": {"a": 1}}]]


@pytest.mark.parametrize("ice", BAD_SERVERS)
def test_servers_that_no_browser_can_use_end_the_invitation_and_nothing_hangs(studio: Hall, ice: list[Any]) -> None:
    lying(studio, ice=ice)
    patient = studio.patient()
    clinician = studio.clinician(invite(patient))
    knock(clinician)
    admit(patient)
    says(patient, "The relay names servers that this browser cannot use.")
    says(clinician, "The patient has closed the invitation")
    assert patient.evaluate("sent") == []
    studio.wire.spoil = None
    button(patient, "Make a new invitation").click()
    says(patient, "Your invitation is ready")


def test_servers_that_the_clinicians_browser_cannot_use_are_told_to_both(studio: Hall) -> None:
    patient = studio.patient()
    link = invite(patient)
    lying(studio, ice=[{"urls": "https://example.org"}])
    clinician = studio.clinician(link)
    knock(clinician)
    admit(patient)
    says(clinician, "The relay names servers that this browser cannot use.")
    says(patient, "Dr Kim has left")


@pytest.mark.parametrize("expires", [1e300, -1, 86_401, "soon", None, [3600]])
def test_a_relay_that_promises_nonsense_is_not_quoted(studio: Hall, expires: object) -> None:
    patient = studio.patient()
    invite(patient)
    says(patient, "Good until")
    button(patient, "Withdraw the invitation").click()
    lying(studio, expires=expires)
    button(patient, "Make an invitation").click()
    says(patient, "Your invitation is ready")
    assert "Good until" not in patient.locator(".invite-wait").inner_text()


TURN = {"urls": "turn:127.0.0.1:9", "username": "mien", "credential": "mien"}
POLICY = "connections[0].getConfiguration().iceTransportPolicy"


def test_the_patients_own_wish_for_a_turn_server_is_stricter_than_the_relay(studio: Hall) -> None:
    lying(studio, ice=[TURN], policy="all")
    patient = studio.patient(relay_only=True)
    clinician = studio.clinician(invite(patient))
    knock(clinician)
    admit(patient)
    says(patient, "Connecting to Dr Kim")
    patient.wait_for_function("() => connections[0]?.localDescription")
    assert patient.evaluate(POLICY) == "relay"
    patient.wait_for_timeout(500)
    assert "a=candidate" not in patient.evaluate("connections[0].localDescription.sdp")  # no address of its own
    clinician.wait_for_function("() => connections[0]?.localDescription")
    assert clinician.evaluate(POLICY) == "all"


def test_the_relays_wish_for_a_turn_server_holds_too(studio: Hall) -> None:
    lying(studio, ice=[TURN], policy="relay")
    patient = studio.patient()
    clinician = studio.clinician(invite(patient))
    knock(clinician)
    admit(patient)
    for page in (patient, clinician):
        page.wait_for_function("() => connections[0]?.localDescription")
        assert page.evaluate(POLICY) == "relay"


@pytest.mark.parametrize(
    ("relay_only", "policy", "ice"),
    [(True, "all", []), (True, "all", [{"urls": "stun:127.0.0.1:9"}]), (False, "relay", [])],
)
def test_without_the_turn_server_that_is_needed_there_is_no_invitation(
    studio: Hall, relay_only: bool, policy: str, ice: list[Any]
) -> None:
    lying(studio, ice=ice, policy=policy)
    patient = studio.patient(relay_only=relay_only)
    button(patient, "Make an invitation").click()
    says(patient, "the relay names none")
    assert patient.locator("#invite-link").count() == 0


@pytest.mark.parametrize("language", ["ko", "en"])
def test_both_pages_speak_the_readers_language(studio: Hall, language: str) -> None:
    texts: dict[str, Any] = json.loads((TEXTS / language / "consult.json").read_text("utf-8"))
    patient = studio.patient(locale=language)
    patient.get_by_role("button", name=texts["invite.open"]).click()
    clinician = studio.clinician(patient.locator("#invite-link").input_value(), locale=language)
    clinician.locator("#name").fill("김지우")
    clinician.get_by_role("button", name=texts["join.ask"]).click()
    says(patient, texts["invite.ask.title"].replace("{name}", "김지우"))
    patient.get_by_role("button", name=texts["invite.ask.yes"]).click()
    says(clinician, texts["join.emotions.off"])
    says(patient, texts["invite.here"].replace("{name}", "김지우"))
    other = {"ko": "en", "en": "ko"}[language]
    clinician.locator("select.language").select_option(other)  # in the middle of the call
    says(clinician, json.loads((TEXTS / other / "consult.json").read_text("utf-8"))["join.emotions.off"])
    for page in (patient, clinician):
        assert not re.search(r"\b(invite|join|app|emotion)\.[a-z.]+\b|\{\w+\}", page.locator("main").inner_text())


def test_every_text_is_there_in_every_language() -> None:
    tables = [json.loads(path.read_text("utf-8")) for path in sorted(TEXTS.glob("*/consult.json"))]
    assert len(tables) >= 2
    for table in tables:
        assert table.keys() == tables[0].keys()
        for key, text in table.items():
            assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", tables[0][key])), key
    used = "".join(path.read_text("utf-8") for path in TEXTS.parent.rglob("*") if path.suffix in {".js", ".html"})
    plain = set(re.findall(r'"((?:invite|join)\.[a-z]+(?:\.[a-z]+)*)"', used))
    assert plain - tables[0].keys() == set()
