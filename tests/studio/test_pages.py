"""The studio's pages in a real browser: every state a patient can meet, by eye, by ear and by keyboard."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest
from fake_studio import FakeStudio, served

from browsers import CAMERA_SIZE, chromium, film
from conftest import encode_clip, moving_picture
from patience import LONG

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

AUDIT: Final = "() =>" + Path(__file__).with_name("audit.js").read_text(encoding="utf-8").split("() =>", 1)[1]
EXPECTED: Final = "Failed to load resource: the server responded with a status of 500"
"""What a browser says by itself of an answer that a test made fail."""
LOOKS: Final = [("light", (1280, 800)), ("dark", (360, 740))]
REJECT: Final = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', '{}'))"
WATCH: Final = """
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
window.opened = [];
navigator.mediaDevices.getUserMedia = async (wish) => {
  const stream = await open(wish);
  window.opened.push(...stream.getTracks());
  return stream;
};
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    pictures = [moving_picture(*CAMERA_SIZE, index) for index in range(10)]
    with chromium(film(tmp_path_factory.mktemp("camera") / "camera.mjpeg", pictures)) as browser:
        yield browser


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    options = {"deadline": "realtime", "cpu-used": "8"}
    path = tmp_path_factory.mktemp("clip") / "visit.webm"
    return encode_clip(path, frames=75, size=(160, 120), codec="libvpx", options=options)


@contextmanager
def visited(
    browser: Browser, studio: FakeStudio, path: str = "/", *, script: str = "", **context: Any
) -> Iterator[Page]:
    """A page of the studio, in a fresh profile. Fails where the page did something it should not have."""
    options = {"locale": "en-US", "permissions": ["camera"], "reduced_motion": "reduce", **context}
    with served(studio):
        profile = browser.new_context(**options)
        page = profile.new_page()
        page.set_default_timeout(8000)
        wrong: list[str] = []
        page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: elsewhere(request.url, studio, wrong))
        if script:
            page.add_init_script(script)
        page.goto(studio.url + path)
        try:
            yield page
        finally:
            profile.close()
        refused = studio.refused_paths or studio.drop
        assert [text for text in wrong if not (refused and (EXPECTED in text or "WebSocket" in text))] == []


def elsewhere(url: str, studio: FakeStudio, wrong: list[str]) -> None:
    if not url.startswith((studio.url, studio.url.replace("http", "ws"), "blob:", "data:")):
        wrong.append(f"asked for {url}")


def until(page: Page, condition: str) -> None:
    """Wait for a JavaScript expression to hold. Playwright's own way needs eval, which the pages' policy forbids."""
    soon(page, lambda: page.evaluate(condition), condition)


def soon(page: Page, condition: Callable[[], bool], name: str = "what the studio is told") -> None:
    """Wait until something holds, while the page goes on."""
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {name}"
        page.wait_for_timeout(20)


def start(page: Page) -> None:
    page.locator(".tile img").first.wait_for()
    page.click("#start")
    page.locator("#live").wait_for()
    until(page, "document.querySelector('#meter').textContent !== ''")


def end(page: Page) -> None:
    page.click("#stop")
    page.locator("#ended").wait_for()


def picture_file(name: str = "Grandmother (1931).png") -> Any:
    from mien.media.images import png

    return {"name": name, "mimeType": "image/png", "buffer": png(np.full((64, 64, 3), 128, np.uint8))}


def look(page: Page) -> list[str]:
    """What is wrong with the page as it is now, in every look."""
    wrong = []
    for theme, (width, height) in LOOKS:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        wrong += [f"{theme}, {width} px: {what}" for what in page.evaluate(AUDIT)]
    return wrong


# Seen, read and reached by everybody


def test_the_audit_sees_what_is_wrong(browser: Browser) -> None:
    with visited(browser, FakeStudio(sessions=[]), "/sessions") as page:
        page.locator(".empty").wait_for()
        assert look(page) == []
        page.evaluate("""
            const main = document.querySelector("main");
            const grey = Object.assign(document.createElement("p"), { textContent: "hardly there" });
            grey.style.color = "#9aa0a8";
            const wide = document.createElement("div");
            Object.assign(wide.style, { width: "2000px", height: "1px" });
            const mute = document.createElement("button");
            main.append(grey, wide, mute, "state.lost.title");
        """)
        wrong = "\n".join(look(page))
        for word in ("contrast", "sideways", "no name", "too small", "shows a key"):
            assert word in wrong


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
def test_everybody_can_use_the_live_page(browser: Browser, locale: str) -> None:
    own = [{"name": "granny", "title": "granny", "kind": "picture", "own": True}]
    with visited(browser, FakeStudio(own=own), locale=locale) as page:
        page.locator(".tile img").first.wait_for()
        assert page.locator("html").get_attribute("lang") == locale[:2]
        assert look(page) == []
        page.set_input_files(".tile-add input", picture_file())
        page.locator(".own-picture .notice").wait_for()
        assert look(page) == []
        page.keyboard.press("Escape")
        start(page)
        page.click("#record")
        page.click("#pause")
        page.locator("[data-kind=paused]").wait_for()
        assert look(page) == []
        page.click("#change")
        page.locator("dialog .tile img").first.wait_for()
        assert look(page) == []
        page.keyboard.press("Escape")
        end(page)
        assert look(page) == []


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
def test_everybody_can_use_the_other_pages(browser: Browser, clip: Path, locale: str) -> None:
    with visited(browser, FakeStudio(result=clip.read_bytes()), "/sessions", locale=locale) as page:
        page.locator(".session").first.wait_for()
        page.click("summary >> nth=0")
        assert look(page) == []
        page.goto(page.url.replace("/sessions", "/clips"))
        page.locator(".tile img").first.wait_for()
        assert look(page) == []
        page.set_input_files("#clip-file", clip)
        page.check("[value=paste]")
        page.click("summary")
        assert look(page) == []
        page.click("#run")
        page.locator("#result").wait_for()
        assert look(page) == []


@pytest.mark.parametrize("path", ["/", "/clips", "/sessions"])
def test_the_keyboard_reaches_everything_in_order_and_shows_where_it_is(browser: Browser, path: str) -> None:
    with visited(browser, FakeStudio(), path) as page:
        page.locator(".tile img, .session").first.wait_for()
        page.evaluate("document.activeElement?.blur()")
        order, shown = [], []
        for _ in range(60):
            page.keyboard.press("Tab")
            at = page.evaluate("""() => {
                const all = [...document.querySelectorAll("*")];
                const at = document.activeElement;
                const ringed = [at, at.closest("label"), at.closest(".tile")].some((element) => {
                    const style = element && getComputedStyle(element);
                    return style && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
                });
                return [at === document.body ? -1 : all.indexOf(at), ringed, at.outerHTML.slice(0, 80)];
            }""")
            if at[0] < 0:
                break
            order.append(at[0])
            shown.append((at[1], at[2]))
        assert order == sorted(order)
        assert [html for ringed, html in shown if not ringed] == []
        reachable = page.evaluate("""() => {
            const controls = [...document.querySelectorAll("button, a[href], select, input, summary")];
            const skipped = "[type=radio]:not(:checked), :disabled";
            return controls.filter((control) => control.checkVisibility() && !control.matches(skipped)).length;
        }""")
        assert len(order) == reachable


def test_language_and_colours_are_chosen_once(browser: Browser) -> None:
    with visited(browser, FakeStudio(), color_scheme="light") as page:
        page.locator(".tile img").first.wait_for()
        page.select_option(".language", "ko")
        page.locator("html[lang=ko]").wait_for()
        assert page.inner_text("#start") == "시작"
        assert page.title().endswith("실시간 대화")
        assert page.inner_text(".tile-name >> nth=2") == "마야"
        page.click(".theme")
        page.click(".theme")
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.goto(page.url + "clips")
        page.locator(".tile img").first.wait_for()
        assert page.locator("html").get_attribute("lang") == "ko"
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == ground == "rgb(18, 22, 27)"


# Before a session


def test_a_broken_face_is_shown_with_its_reason_and_cannot_be_chosen(browser: Browser) -> None:
    studio = FakeStudio()
    reason = "rig.toml cannot be read (it is a named pipe, not an ordinary file)."
    studio.own.append({"name": "broken", "title": "broken", "kind": "puppet", "own": True, "trouble": reason})
    with visited(browser, studio, script="localStorage.setItem('mien.avatar', 'broken')") as page:
        page.locator(".tile img").first.wait_for()
        assert page.inner_text(".tile-broken") == reason
        assert page.is_disabled(".tile input[value=broken]")
        assert page.locator(".tile input:checked").get_attribute("value") != "broken"
        page.locator(".tile", has_text=reason).locator(".tile-remove").wait_for()


def test_the_camera_stays_off_until_asked_for_and_is_shown_here_alone(browser: Browser) -> None:
    with visited(browser, FakeStudio(), script=WATCH) as page:
        page.locator(".tile img").first.wait_for()
        assert page.locator("video").count() == 0
        assert page.evaluate("opened.length") == 0
        page.click("#framing-toggle")
        until(page, "document.querySelector('#framing video')?.videoWidth > 0")
        page.click("#framing-toggle")
        assert page.locator("video").count() == 0
        assert page.evaluate("opened.map((track) => track.readyState)") == ["ended"]


def test_a_face_is_chosen_by_keyboard_and_remembered(browser: Browser) -> None:
    with visited(browser, studio := FakeStudio()) as page:
        page.locator(".tile img").first.wait_for()
        page.focus(".tile input:checked")
        page.keyboard.press("ArrowRight")
        assert page.inner_text("#start-avatar") == "Mei"
        start(page)
        assert {"do": "start", "session": None, "avatar": "mei"} in studio.said
        end(page)
        page.reload()
        page.locator(".tile img").first.wait_for()
        assert page.inner_text("#start-avatar") == "Mei"


@pytest.mark.parametrize(
    ("script", "title"),
    [
        (REJECT.format("NotAllowedError"), "does not let mien use the camera"),
        (REJECT.format("NotReadableError"), "in use by another program"),
        ("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })", "keeps the camera from a page"),
        ("navigator.mediaDevices.enumerateDevices = async () => []", "No camera was found"),
    ],
    ids=["refused", "in use", "insecure", "none"],
)
def test_what_keeps_the_camera_away_is_said_with_what_to_do(browser: Browser, script: str, title: str) -> None:
    with visited(browser, FakeStudio(), script=script) as page:
        page.locator(".tile img").first.wait_for()
        if not page.locator(".notice").count():
            page.click("#start")
        page.locator(".notice").wait_for()
        assert title in page.inner_text(".notice h2")
        assert len(page.inner_text(".notice p")) > 30
        assert page.locator("#start").is_enabled()
        assert look(page) == []


def test_checking_the_framing_again_does_not_start_a_session(browser: Browser) -> None:
    first_refused = (
        "const once = navigator.mediaDevices.getUserMedia; let tries = 0;"
        "const refuse = () => Promise.reject(new DOMException('', 'NotReadableError'));"
        "navigator.mediaDevices.getUserMedia = (wish) => tries++ ? once(wish) : refuse();"
    )
    with visited(browser, studio := FakeStudio(), script=WATCH + first_refused) as page:
        page.locator(".tile img").first.wait_for()
        page.click("#framing-toggle")
        page.click(".notice button")
        page.locator("#framing video").wait_for()
        assert not page.locator(".notice").is_visible()
        assert studio.said == []


def test_a_missing_model_is_said_and_looked_for_again(browser: Browser) -> None:
    with visited(browser, studio := FakeStudio(models=False)) as page:
        page.locator(".notice").wait_for()
        assert page.inner_text(".notice code") == "mien models pull"
        page.evaluate("navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
        page.wait_for_timeout(100)
        assert page.locator(".notice").is_visible()
        studio.models = True
        page.click(".notice button")
        page.locator(".notice").wait_for(state="hidden")


def test_another_window_and_a_studio_that_is_gone_are_told_apart(browser: Browser) -> None:
    with visited(browser, studio := FakeStudio(trouble={"kind": "busy", "text": "elsewhere"}), script=WATCH) as page:
        page.locator(".tile img").first.wait_for()
        page.click("#start")
        page.locator(".notice").wait_for()
        assert "another window" in page.inner_text(".notice h2")
        assert page.evaluate("opened.every((track) => track.readyState === 'ended')")
        studio.trouble, studio.drop = None, True
        page.click(".notice button")
        page.locator(".notice code").wait_for()
        assert "does not answer" in page.inner_text(".notice h2")


# Pictures of one's own


@pytest.mark.parametrize("verdict", ["good", "usable", "poor"])
def test_a_picture_of_ones_own_comes_with_advice_and_a_choice(browser: Browser, verdict: str) -> None:
    with visited(browser, studio := FakeStudio(verdict=verdict)) as page:
        page.locator(".tile img").first.wait_for()
        page.set_input_files(".tile-add input", picture_file())
        page.locator(".own-picture .notice").wait_for()
        advice = page.locator(".own-picture li").count()
        assert advice == {"good": 0, "usable": 2, "poor": 3}[verdict]
        use = page.locator("dialog .buttons .primary")
        assert use.inner_text() == ("Use it" if verdict == "good" else "Use it anyway")
        assert page.input_value("#own-picture-name") == "Grandmother-1931"
        page.press("#own-picture-name", "Enter")
        page.locator("dialog").wait_for(state="detached")
        assert ("add", "Grandmother-1931") in studio.said
        until(page, "document.querySelector('#start-avatar').textContent === 'Grandmother-1931'")
        page.click(".tile-remove")
        page.click("dialog button[value=yes]")
        page.locator(".tile-remove").wait_for(state="detached")
        assert studio.own == []
        assert page.inner_text("#start-avatar") == "Finn"


def test_a_picture_can_be_dropped_and_left(browser: Browser) -> None:
    with visited(browser, studio := FakeStudio()) as page:
        page.locator(".tile img").first.wait_for()
        page.evaluate("""() => {
            const files = new DataTransfer();
            files.items.add(new File(["x"], "a.png", { type: "image/png" }));
            const options = { bubbles: true, dataTransfer: files };
            const gallery = document.querySelector("#gallery");
            for (const name of ["dragenter", "dragover", "drop"]) gallery.dispatchEvent(new DragEvent(name, options));
        }""")
        page.locator(".own-picture .notice").wait_for()
        page.keyboard.press("Escape")
        page.locator("dialog").wait_for(state="detached")
        assert studio.own == []
        assert page.inner_text("#start-avatar") == "Maya"
        stray = "!document.body.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true }))"
        assert page.evaluate(stray)  # so that the browser does not open the file instead of the page
        page.set_input_files(".tile-add input", {"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"})
        assert "not a picture" in page.inner_text(".own-picture .notice")


# Being live


def test_a_session_from_start_to_kept(browser: Browser) -> None:
    with visited(browser, studio := FakeStudio(), script=WATCH) as page:
        start(page)
        assert page.locator("#live video").count() == 0
        page.click("#mirror")
        page.locator("#mirror[aria-pressed=true]").wait_for()
        page.click("#zoom-in")
        until(page, "document.querySelector('#zoom').textContent === '115%'")
        page.click("#record")
        page.locator("#recording").wait_for()
        until(page, "document.querySelectorAll('.emotion-line')[0].getAttribute('d').length > 20")
        shares = page.evaluate("[...document.querySelectorAll('.emotion-figure')].map((e) => parseInt(e.textContent))")
        assert 95 <= sum(shares) <= 105
        end(page)
        assert page.evaluate("opened.every((track) => track.readyState === 'ended')")
        assert page.inner_text("#ended-length") == "12:34"
        assert page.inner_text("#ended-coverage") == "96%"
        assert page.locator("#ended-links a[href$='.mp4']").count() == 0
        page.fill("#keep-title", "Second visit")
        page.press("#keep-title", "Enter")
        page.locator("#ended-decided .good").wait_for()
        assert ("keep", "Second visit") in studio.said
        assert page.locator("#ended-links a[href='/sessions/d4/avatar.mp4']").count() == 1


def test_the_resting_face_is_taken_after_a_countdown(browser: Browser) -> None:
    with visited(browser, studio := FakeStudio()) as page:
        start(page)
        assert page.locator("#calibrate-hint").is_visible()
        page.clock.install()
        page.click("#calibrate")
        page.locator("#countdown >> text=Hold still").wait_for()
        for left in "321":
            assert page.inner_text(".countdown-figure") == left
            assert {"do": "calibrate"} not in studio.said
            page.clock.run_for(1000)
        page.locator("#countdown").wait_for(state="hidden")
        page.locator("#calibrate-hint").wait_for(state="hidden")
        assert {"do": "calibrate"} in studio.said


def test_what_happens_meanwhile_is_said_one_thing_at_a_time(browser: Browser) -> None:
    with visited(browser, studio := FakeStudio()) as page:
        start(page)
        told = page.locator("#stage-notice")
        assert told.inner_text() == ""
        studio.faces = 0
        page.locator("[data-kind=lost]").wait_for()
        assert "Come back into view" in told.inner_text()
        page.click("#pause")
        page.locator("[data-kind=paused]").wait_for()
        page.click("#pause")
        studio.faces = 2
        page.locator("[data-kind=several]").wait_for()
        studio.faces = 1
        page.locator("[data-kind='']").wait_for(state="attached")
        studio.state = {"preparing": "maya"}
        page.wait_for_timeout(250)
        assert told.inner_text() == ""
        studio.state = {"preparing": "rosa"}
        page.locator("[data-kind=preparing]").wait_for()
        studio.state = {}
        studio.words = [{"is": "pace", "size": 384, "capture": 360}]
        page.locator("[data-kind=slow]").wait_for()
        studio.state = {"trouble": "The picture has no face."}
        page.locator("[data-kind=trouble]").wait_for()
        assert "The picture has no face." in told.inner_text()


def test_a_lost_connection_comes_back_by_itself(browser: Browser) -> None:
    with visited(browser, studio := FakeStudio()) as page:
        start(page)
        studio.drop = True
        page.locator("[data-kind=down]").wait_for()
        studio.drop = False
        page.locator("[data-kind='']").wait_for(state="attached")
        again = [word for word in studio.said if isinstance(word, dict) and word.get("do") == "start"][-1]
        assert again["session"] == "live-1"
        studio.drop = True  # so that what the browser says of it is expected


def test_a_camera_that_was_pulled_out_is_taken_back(browser: Browser) -> None:
    with visited(browser, FakeStudio(), script=WATCH) as page:
        start(page)
        page.evaluate("opened[0].stop(); opened[0].dispatchEvent(new Event('ended'))")
        page.locator("[data-kind=unplugged]").wait_for()
        page.click("#stage-notice button")
        page.locator("[data-kind='']").wait_for(state="attached")
        assert page.evaluate("opened.map((track) => track.readyState)") == ["ended", "live"]


def test_another_face_can_be_put_on(browser: Browser) -> None:
    with visited(browser, studio := FakeStudio()) as page:
        start(page)
        page.click("#change")
        page.locator("dialog input:checked").wait_for(state="attached")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        page.locator("dialog").wait_for(state="detached")
        soon(page, lambda: studio.said[-1] == {"do": "wear", "avatar": "mei"})
        end(page)
        assert page.inner_text("#ended-avatar") == "Mei"


def test_without_the_model_for_it_no_expression_is_shown(browser: Browser) -> None:
    with visited(browser, FakeStudio(emotions=False)) as page:
        start(page)
        assert not page.locator(".emotion-bars").is_visible()
        assert "not estimated" in page.inner_text(".side-column .notice")


def test_discarding_asks_first_and_starting_again_asks_too(browser: Browser) -> None:
    with visited(browser, studio := FakeStudio()) as page:
        start(page)
        end(page)
        page.click("#discard")
        page.keyboard.press("Escape")
        assert page.locator("#keep").is_visible()
        page.click("#again")
        page.click("dialog button[value=yes]")
        page.locator("#setup").wait_for()
        assert ("delete", "/api/live/live-1") in studio.said
        start(page)


def test_a_studio_that_stopped_cannot_keep_the_session(browser: Browser) -> None:
    with visited(browser, studio := FakeStudio()) as page:
        start(page)
        studio.drop = True
        page.locator("[data-kind=down]").wait_for()
        end(page)
        assert "stopped before" in page.inner_text("#ended-lost")
        assert not page.locator("#keep").is_visible()


def test_the_curve_breaks_where_nobody_was_seen(browser: Browser) -> None:
    with visited(browser, FakeStudio()) as page:
        drawn = page.evaluate("""async () => {
            const { EmotionView } = await import("/static/emotion-view.js");
            const place = document.createElement("div");
            document.body.append(place);
            const view = new EmotionView(place, { seconds: 20 });
            const emotions = { angry: 0, disgust: 0, fear: 0, happy: 0.75, sad: 0, surprise: 0, neutral: 0.25 };
            for (let i = 0; i <= 400; i++) {
                const seen = i < 100 || i > 200;
                view.add({ time: i / 10, seen, emotions: seen ? emotions : null });
            }
            const line = place.querySelector(".emotion-line.happy").getAttribute("d");
            const gap = place.querySelector(".emotion-gap").getAttribute("d");
            const bar = place.querySelector(".happy .emotion-bar > span").getBoundingClientRect();
            const whole = place.querySelector(".happy .emotion-bar").getBoundingClientRect();
            return { line, gap, share: (bar.right - whole.left) / whole.width };
        }""")
        points = drawn["line"].replace("M", " ").replace("L", " ").split()
        assert drawn["line"].count("M") == 1  # what is older than 20 s, the gap's beginning too, has gone
        assert float(points[0]) == pytest.approx(0, abs=10)
        assert float(points[-2]) == pytest.approx(600, abs=8)
        assert all(0 <= float(y) <= 50 for y in points[1::2])
        assert drawn["share"] == pytest.approx(0.75, abs=0.01)


def test_what_did_not_change_is_not_written_again_and_nothing_goes_on_moving(browser: Browser) -> None:
    with visited(browser, FakeStudio(), reduced_motion="no-preference") as page:
        seen = page.evaluate("""async () => {
            const { EmotionView } = await import("/static/emotion-view.js");
            const place = document.createElement("div");
            document.body.append(place);
            const view = new EmotionView(place);
            const row = (time, happy) => {
                const others = { angry: 0, disgust: 0, fear: 0, sad: 0, surprise: 0, neutral: 1 - happy };
                view.add({ time, seen: true, emotions: { happy, ...others } });
            };
            row(0, 0.25);
            const watch = new MutationObserver(() => {});
            watch.observe(place, { childList: true, characterData: true, subtree: true });
            row(0.1, 0.25);
            const same = watch.takeRecords().length;
            row(0.2, 0.75);
            const other = watch.takeRecords().length;
            const bars = [...place.querySelectorAll(".emotion-bar > span")];
            return { same, other, moving: bars.flatMap((bar) => bar.getAnimations()).length };
        }""")
        assert seen["same"] == 0
        assert seen["other"] == 2
        assert seen["moving"] == 0


COUNTED: Final = """
window.drawings = [];
const { drawImage } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.drawImage = function (image, ...where) {
  if (image instanceof ImageBitmap) window.drawings.push([this.canvas.width, this.canvas.height]);
  return drawImage.call(this, image, ...where);
};
window.jpegs = 0;
window.Blob = class extends Blob {
  constructor(parts, options) { super(parts, options); window.jpegs += options?.type === "image/jpeg"; }
};
"""
"""Notes the size of the canvas for every picture drawn on one, and every picture that becomes a Blob."""


def test_a_picture_is_drawn_once_and_again_only_when_nothing_follows(browser: Browser) -> None:
    with visited(browser, FakeStudio(), script=COUNTED) as page:
        drawn = page.evaluate("""async () => {
            const { AvatarStage } = await import("/static/live/avatar-stage.js");
            const stage = new AvatarStage(document.createElement("canvas"));
            const pause = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));
            const picture = new OffscreenCanvas(480, 480);
            picture.getContext("2d").fillRect(0, 0, 480, 480);
            drawings.length = 0;
            let again = 0, longest = 0, at = performance.now();
            for (let i = 0; i < 25; i++) {
                await pause(0.04);
                const before = drawings.length;
                stage.show(await createImageBitmap(picture));
                longest = Math.max(longest, performance.now() - at);
                at = performance.now();
                again += drawings.length - before - 1;
            }
            const whileMoving = drawings.length;
            await pause(1);
            const whileStill = drawings.length - whileMoving;
            await pause(1.5);
            const live = stage.live;
            stage.close();
            return { whileMoving, whileStill, longest, live, again, sizes: drawings.flat() };
        }""")
        assert drawn["again"] == 0
        assert drawn["whileMoving"] == 25 or drawn["longest"] > 200  # a machine that was away for that long
        assert drawn["whileStill"] >= 1  # who comes later would see nothing otherwise
        assert not drawn["live"]
        assert max(drawn["sizes"]) <= 480


@pytest.mark.parametrize("able", [True, False])
def test_the_avatar_comes_without_blobs_where_the_browser_decodes_bytes(browser: Browser, able: bool) -> None:
    script = COUNTED + ("" if able else "delete window.ImageDecoder;")
    with visited(browser, FakeStudio(), script=script) as page:
        start(page)
        until(page, "drawings.filter(([width]) => width > 2).length > 5")
        assert page.evaluate("Math.max(...drawings.flat())") <= 480
        jpegs = page.evaluate("jpegs")
        assert jpegs == 0 if able else jpegs > 5


# Clips


def test_a_clip_gets_another_face_and_is_played_beside_the_original(browser: Browser, clip: Path) -> None:
    with visited(browser, studio := FakeStudio(result=clip.read_bytes()), "/clips") as page:
        page.locator(".tile img").first.wait_for()
        assert page.locator("#run").is_disabled()
        page.set_input_files("#clip-file", clip)
        page.check("[value=paste]")
        assert page.locator("#paste-warning").is_visible()
        page.check("[value=drop]")
        page.check(".tile input[value=rosa]")
        page.click("#run")
        page.locator("#work >> text=Giving it another face").wait_for()
        assert "a second" in page.inner_text(".work-facts")
        page.locator("#result").wait_for()
        assert ("clip", "visit.webm", clip.stat().st_size) in studio.said
        wish = {"avatar": "rosa", "engine": None, "scene": "paste", "audio": "drop", "size": 512}
        assert ("run", wish) in studio.said
        assert "nobody was seen" in page.inner_text("#warnings")
        page.click("[aria-label=Play]")
        until(page, "document.querySelectorAll('#player video')[1].currentTime > 1")
        both = page.evaluate("[...document.querySelectorAll('#player video')].map((video) => video.currentTime)")
        assert both[0] == pytest.approx(both[1], abs=0.25)
        page.click("[aria-label=Pause]")
        page.fill("#player input", "2")
        both = page.evaluate("[...document.querySelectorAll('#player video')].map((video) => video.currentTime)")
        assert both == pytest.approx([2, 2], abs=0.05)
        page.click("#again")
        page.click("dialog button[value=yes]")
        page.locator("#wish").wait_for()
        soon(page, lambda: ("delete", "/api/clips/k1") in studio.said)


def test_work_on_a_clip_can_be_stopped_and_begun_anew(browser: Browser, clip: Path) -> None:
    with visited(browser, studio := FakeStudio(clip="running", result=clip.read_bytes()), "/clips") as page:
        page.locator(".tile img").first.wait_for()
        page.set_input_files("#clip-file", clip)
        page.click("#run")
        page.locator("#work >> text=about").wait_for()
        page.click("#cancel")
        page.locator("#clips-notice >> text=Stopped").wait_for()
        studio.clip = "failed"
        page.click("#run")
        page.locator("#clips-notice >> text=holds no picture that can be read").wait_for()
        assert [word[0] for word in studio.said].count("clip") == 1


# Sessions


def test_sessions_are_listed_renamed_and_deleted(browser: Browser) -> None:
    with visited(browser, studio := FakeStudio(), "/sessions") as page:
        first = page.locator(".session").first
        first.wait_for()
        assert "30:34" in first.inner_text()
        assert "97%" in first.inner_text()
        page.click(".rename >> nth=1")
        page.keyboard.type("A second one")
        page.keyboard.press("Enter")
        page.locator("h2 >> text=A second one").wait_for()
        assert studio.sessions[1]["title"] == "A second one"
        assert page.evaluate("document.activeElement.matches('[data-id=b2] .rename')")
        page.click("[aria-label='Delete Third visit']")
        page.keyboard.press("Escape")
        assert len(studio.sessions) == 3
        page.click("[aria-label='Delete Third visit']")
        page.click("dialog button[value=yes]")
        until(page, "document.querySelectorAll('.session').length === 2")
        assert len(studio.sessions) == 2
        with page.context.expect_page() as opened:
            page.click(".session a >> nth=0")
        assert opened.value.url.endswith("/sessions/b2/report.html")


def test_what_the_server_says_is_shown_in_its_own_words(browser: Browser) -> None:
    with visited(browser, FakeStudio(refused_paths={"/api/sessions"}), "/sessions") as page:
        page.locator(".notice >> text=The disk is full.").wait_for()
    with visited(browser, FakeStudio(refused_paths={"/api/avatars"})) as page:
        page.locator("#gallery .notice >> text=The disk is full.").wait_for()
        assert page.locator("#start").is_disabled()
