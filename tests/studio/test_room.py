"""What both pages of a consultation are made of, each by itself: code and seal, checks, records, the room's line."""

from __future__ import annotations

import base64
import hashlib
import random
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from consulting import Hall, hall, messages

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROW = (
    '{"time": 1.5, "seen": true, "confidence": 0.9, "emotions": {"angry": 0.1, "disgust": 0, "fear": 0, "happy": 0.6, '
    '"sad": 0, "surprise": 0, "neutral": 0.3}}'
)
MODULES = """
const names = ["sealing", "received", "emotion-record", "report-transfer", "patient-peer", "room"];
const modules = await Promise.all(names.map((name) => import(`/static/consultation/${name}.js`)));
const [sealing, received, record, transfer, peer, room] = modules;
const refused = async (work) => { try { await work(); return null; } catch (error) { return error.name || "Error"; } };
"""


@pytest.fixture(scope="module")
def studio() -> Iterator[Hall]:
    with hall() as one:
        yield one


@pytest.fixture(scope="module")
def page(studio: Hall) -> Page:
    return studio.patient()


def run(page: Page, body: str, argument: Any = None) -> Any:
    """Run that as a function of `given` in the page, with the consultation's modules at hand."""
    return page.evaluate(f"async (given) => {{ {MODULES} {body} }}", argument)


def test_codes_have_a_hundred_bits_and_can_be_read_out(page: Page) -> None:
    codes = run(page, "return Array.from({length: 400}, () => sealing.makeCode())")
    assert len(set(codes)) == 400
    letters = "".join(codes).replace("-", "")
    assert all(re.fullmatch(r"([0-9a-hjkmnp-tv-z]{5}-){3}[0-9a-hjkmnp-tv-z]{5}", code) for code in codes)
    assert all(170 < letters.count(letter) < 340 for letter in "0123456789abcdefghjkmnpqrstvwxyz")


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("7k2mq-9dxfa-h3vtp-w8rnc", "7k2mq-9dxfa-h3vtp-w8rnc"),
        ("  7K2MQ 9DXFA H3VTP W8RNC ", "7k2mq-9dxfa-h3vtp-w8rnc"),
        ("7k2mq–9dxfah3vtp\tw8rnc", "7k2mq-9dxfa-h3vtp-w8rnc"),
        ("oill2-9dxfa-h3vtp-w8rnc", "01112-9dxfa-h3vtp-w8rnc"),
        ("7k2mq-9dxfa-h3vtp-w8rn", None),
        ("7k2mq-9dxfa-h3vtp-w8rnu", None),
        ("", None),
        ("<img src=x>", None),
    ],
)
def test_codes_are_read_as_people_type_them(page: Page, typed: str, read: str | None) -> None:
    assert run(page, "return sealing.readCode(given)", typed) == read


def test_the_relay_gets_a_hash_of_the_code(page: Page) -> None:
    digest = hashlib.sha256(b"mien room 7k2mq-9dxfa-h3vtp-w8rnc").digest()
    expected = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert run(page, "return sealing.roomNumber(given)", "7k2mq-9dxfa-h3vtp-w8rnc") == expected


def test_a_sealed_message_opens_once_for_the_one_it_was_meant_for(page: Page) -> None:
    results = run(
        page,
        """
        const code = sealing.makeCode();
        const patient = await sealing.Seal.from(code, "patient");
        const clinician = await sealing.Seal.from(code, "clinician");
        const stranger = await sealing.Seal.from(sealing.makeCode(), "clinician");
        const second = await sealing.Seal.from(code, "clinician");
        const welcome = await patient.seal({kind: "welcome"}, null);
        const opened = await clinician.open(welcome);
        const first = await patient.seal({kind: "admit", words: "ünï"}, clinician.id);
        const later = await patient.seal({kind: "offer"}, clinician.id);
        return {
          welcome: opened.body.kind, from: opened.from === patient.id, to: opened.to,
          stranger: await refused(() => stranger.open(first)),
          reflected: await refused(() => patient.open(first)),
          echoed: await refused(() => patient.open(welcome)),
          another: await refused(() => second.open(first)),
          later: (await clinician.open(later)).body.kind,
          earlier: await refused(() => clinician.open(first)),
          again: await refused(() => clinician.open(later)),
          hidden: [first, later].every((text) => !atob(text.replace(/-/g, "+").replace(/_/g, "/")).includes("kind")),
        };
        """,
    )
    assert results.pop("welcome") == "welcome"
    assert results.pop("to") is None
    assert results.pop("later") == "offer"
    assert results.pop("from") is True
    assert results.pop("hidden") is True
    assert all(results.values()), results  # each of the others was refused


def test_a_message_altered_anywhere_is_refused(page: Page) -> None:
    opened = run(
        page,
        """
        const code = sealing.makeCode();
        const patient = await sealing.Seal.from(code, "patient");
        const clinician = await sealing.Seal.from(code, "clinician");
        const bytes = sealing.fromBase64url(await patient.seal({kind: "admit"}, clinician.id));
        const opened = [];
        for (let at = 0; at < bytes.length; at += 1) {
          const altered = bytes.slice();
          altered[at] ^= 1;
          if (!(await refused(() => clinician.open(sealing.toBase64url(altered))))) opened.push(at);
        }
        for (const junk of ["", "A", "!!!", "A".repeat(60000), null, 7, {}, sealing.toBase64url(bytes.slice(0, 60))]) {
          if (!(await refused(() => clinician.open(junk)))) opened.push(junk);
        }
        return [opened, (await clinician.open(sealing.toBase64url(bytes))).body.kind];
        """,
    )
    assert opened == [[], "admit"]


def test_only_rows_in_range_are_taken(page: Page) -> None:
    good = run(page, "return received.readRow(given)", ROW)
    assert (good["time"], good["seen"], good["emotions"]["happy"]) == (1.5, True, 0.6)
    assert run(page, "return received.readRow(given)", '{"time":2,"seen":false,"confidence":0,"emotions":null}')
    bad = [
        "", "null", "[]", "7", "{}", ROW[:-1], ROW.replace("1.5", "-1"), ROW.replace("1.5", "1e999"),
        ROW.replace("1.5", '"1.5"'), ROW.replace("true", "1"), ROW.replace("0.9", "1.1"), ROW.replace("0.6", "0.9"),
        ROW.replace("0.6", "null"),
        ROW.replace('"sad": 0, ', ""), ROW.replace('"sad": 0', '"sad": "<img src=x onerror=alert(1)>"'),
        ROW.replace('"time"', " " * 5000 + '"time"'), '{"__proto__": {"time": 1}}',
        '{"time":1,"seen":true,"confidence":1,"emotions":[]}',
    ]  # fmt: skip
    assert run(page, "return given.map((text) => received.readRow(text))", bad) == [None] * len(bad)
    assert run(page, "return received.readRow(new ArrayBuffer(9))") is None


def test_only_known_controls_are_taken(page: Page) -> None:
    sharing = '{"kind":"sharing","voice":"masked","emotions":true,"hidden":false,"time":3}'
    read = run(page, "return received.readControl(given)", sharing)
    assert read == {"kind": "sharing", "sharing": {"voice": "masked", "emotions": True, "hidden": False}, "time": 3}
    bad = [
        "", "{}", '{"kind":"admit"}', sharing.replace("masked", "robot"), sharing.replace("true", '"yes"'),
        '{"kind":"microphone","on":1}', '{"kind":["bye"]}', sharing + " " * 5000,
    ]  # fmt: skip
    assert run(page, "return given.map((text) => received.readControl(text))", bad) == [None] * len(bad)
    late = sharing.replace("3}", "1e300}")
    assert run(page, "return received.readControl(given)", late)["time"] is None


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("  Dr   Kim \n", "Dr Kim"),
        ("Dr \u202eevil\u202c\u200b\u0000", "Dr evil"),
        ("김지우 선생님", "김지우 선생님"),
        ("x" * 500, "x" * 60),
        (" \u200b\t", ""),
        (None, ""),
        ({"toString": 1}, ""),
    ],
)
def test_names_are_one_short_visible_line(page: Page, given: Any, shown: str) -> None:
    assert run(page, "return received.cleanName(given)", given) == shown


def test_the_record_of_emotions_keeps_the_whole_call_in_fixed_memory(page: Page) -> None:
    got = run(
        page,
        """
        const kept = new record.EmotionRecord(1000);
        const emotions = {angry: 0, disgust: 0, fear: 0, happy: 0.25, sad: 0.75, surprise: 0, neutral: 0};
        for (let i = 0; i < 100000; i += 1) kept.add(i / 5, {time: i / 5, seen: true, confidence: 1, emotions});
        const times = Array.from({length: kept.length}, (_, i) => kept.row(i).at);
        return {length: kept.length, first: times[0], last: times.at(-1),
                ordered: times.every((time, i) => i === 0 || time > times[i - 1]),
                means: kept.means(0, 20000, 10).map((mean) => mean && [mean.emotions[3], mean.emotions[4], mean.seen])};
        """,
    )
    assert 400 < got["length"] <= 1000
    assert got["first"] == 0
    assert got["last"] > 19_800
    assert got["ordered"]
    assert got["means"] == [[0.25, 0.75, 1]] * 10


def test_the_record_says_what_it_does_not_know(page: Page) -> None:
    got = run(
        page,
        """
        const kept = new record.EmotionRecord();
        const emotions = {angry: 0, disgust: 0, fear: 0, happy: 1, sad: 0, surprise: 0, neutral: 0};
        const add = (at, seen) => {
          return kept.add(at, {time: at, seen, confidence: Number(seen), emotions: seen ? emotions : null});
        };
        for (let i = 0; i < 100; i += 1) add(10 + i / 5, i < 50);
        const soon = add(30, true) && add(30.1, true);
        return [soon, ...kept.means(0, 40, 4).map((mean) => mean && [mean.seen, mean.emotions && mean.emotions[3]])];
        """,
    )
    assert got == [False, None, [1, 1], [0, None], [1, 1]]


def test_a_report_comes_whole_or_not_at_all(page: Page) -> None:
    got = run(
        page,
        """
        const piece = (size) => new Uint8Array(size).fill(7).buffer;
        const feed = (...messages) => {
          const inbox = new transfer.ReportInbox();
          let blob = null;
          for (const message of messages) blob = inbox.take(message) ?? blob;
          return blob && [blob.size, blob.type];
        };
        return {
          whole: feed('{"size": 20000}', piece(16384), piece(3616)),
          more: feed('{"size": 10}', piece(11)), empty: feed('{"size": 10}', piece(0), piece(10)),
          early: feed(piece(10)), huge: feed(`{"size": ${transfer.LARGEST_REPORT + 1}}`, piece(10)),
          large: feed('{"size": 40000}', piece(40000)), part: feed('{"size": 20}', piece(10)),
          nonsense: feed("{", piece(1)), fraction: feed('{"size": 1.5}', piece(1)),
        };
        """,
    )
    assert got.pop("whole") == [20000, "application/octet-stream"]
    assert set(got.values()) == {None}


def test_neither_a_camera_nor_a_microphone_can_be_sent(page: Page) -> None:
    got = run(
        page,
        """
        const devices = await navigator.mediaDevices.getUserMedia({video: true, audio: true});
        const canvas = document.createElement("canvas");
        canvas.getContext("2d");
        const own = canvas.captureStream();
        const video = document.createElement("video");
        video.srcObject = devices;
        video.muted = true;
        await video.play();
        const processed = new MediaStreamAudioDestinationNode(new AudioContext()).stream.getAudioTracks()[0];
        const microphone = devices.getAudioTracks()[0];
        const call = (picture) => new peer.PatientPeer({ice: [], policy: "all", call: 1, say: () => {}, picture});
        return {
          canvas: await refused(() => peer.canvasTrack(own)),
          processed: await refused(() => peer.processedVoice(processed)),
          camera: await refused(() => peer.canvasTrack(devices)),
          played: await refused(() => peer.canvasTrack(video.captureStream())),
          nothing: await refused(() => peer.canvasTrack(new MediaStream())),
          microphone: await refused(() => peer.processedVoice(microphone)),
          picture: await refused(() => peer.processedVoice(own.getVideoTracks()[0])),
          call: await refused(() => call(devices)),
          voice: await refused(() => call(own).setVoice(microphone)),
          sent: window.sent.filter((what) => String(what).includes("fake") || String(what).includes("Fake")),
        };
        """,
    )
    assert got.pop("canvas") is None
    assert got.pop("processed") is None
    assert got.pop("sent") == []
    nothing = got.pop("nothing")
    assert nothing
    assert set(got.values()) == {"ForbiddenTrackError"}


ROOMS = """
const open = (role, code) => {
  const one = new room.Room({url: "/relay", role, code});
  one.log = [];
  for (const type of ["open", "peer", "message", "down", "refused", "altered"]) {
    one.addEventListener(type, ({detail}) => one.log.push([type, detail?.kind ?? detail?.why ?? detail?.here ?? null]));
    one.addEventListener("peer", ({detail}) => { one.other = detail.from; });
  }
  one.enter();
  return one;
};
const pause = () => new Promise((done) => setTimeout(done, 25));
const until = async (test) => { for (let i = 0; i < 2000 && !test(); i += 1) await pause(); };
const count = (one, type) => one.log.filter(([name]) => name === type).length;
"""


def test_a_room_survives_a_drop_of_both_lines(page: Page, studio: Hall) -> None:
    run(
        page,
        ROOMS
        + """
        const code = sealing.makeCode();
        const patient = window.patientRoom = open("patient", code);
        await until(() => count(patient, "open"));
        const clinician = window.clinicianRoom = open("clinician", code);
        await until(() => count(clinician, "peer"));
        clinician.send({kind: "hello"}, clinician.other);
        await until(() => count(patient, "message"));
        """,
    )
    studio.wire.cut()
    logs = run(
        page,
        ROOMS
        + """
        const {patientRoom: patient, clinicianRoom: clinician} = window;
        await until(() => count(patient, "open") === 2);
        await until(() => count(clinician, "peer") >= 2 && clinician.log.at(-1)[1] === true);
        clinician.send({kind: "hello"}, clinician.other);
        await until(() => count(patient, "message") === 2);
        patient.send({kind: "admit"}, patient.other);
        patient.send({kind: "secret"}, "somebody else");
        await until(() => count(clinician, "message") === 1);
        clinician.leave();
        patient.leave();
        return [patient.log, clinician.log];
        """,
    )
    assert [entry for entry in logs[0] if entry[0] == "message"] == [["message", "hello"]] * 2
    assert [entry for entry in logs[1] if entry[0] == "message"] == [["message", "admit"]]
    assert ["down", None] in logs[0]
    assert ["altered", None] not in logs[0] + logs[1]


def test_rooms_refuse_whom_they_should(page: Page) -> None:
    logs = run(
        page,
        ROOMS
        + """
        const code = sealing.makeCode();
        const nobody = open("clinician", sealing.makeCode());
        await until(() => count(nobody, "refused"));
        const patient = open("patient", code);
        await until(() => count(patient, "open"));
        const clinician = open("clinician", code);
        await until(() => count(clinician, "peer"));
        const third = open("clinician", code);
        await until(() => count(third, "refused"));
        const usurper = open("patient", code);
        await until(() => count(usurper, "refused"));
        clinician.leave();
        patient.leave();
        return [nobody, third, usurper].map(({log}) => log.at(-1));
        """,
    )
    assert logs == [["refused", "unknown"], ["refused", "full"], ["refused", "full"]]


def test_what_a_spoiled_relay_says_is_thrown_away(page: Page, studio: Hall) -> None:
    rng = random.Random(1)

    def spoil(text: str) -> str:
        for message in messages([text]):
            data = message.get("data")
            if data:
                at = rng.randrange(len(data))
                other = "A" if data[at] != "A" else "Q"
                return text.replace(data, data[:at] + other + data[at + 1 :])
        return text

    studio.wire.spoil = spoil
    try:
        logs = run(
            page,
            ROOMS
            + """
            const code = sealing.makeCode();
            const patient = open("patient", code);
            await until(() => count(patient, "open"));
            const clinician = open("clinician", code);
            await until(() => count(clinician, "altered"));
            clinician.leave();
            patient.leave();
            return [patient.log, clinician.log];
            """,
        )
    finally:
        studio.wire.spoil = None
    assert ["altered", None] in logs[1]
    assert not [entry for entry in logs[0] + logs[1] if entry[0] == "message" or entry == ["peer", True]]


def test_the_microphone_follows_the_last_wish(page: Page) -> None:
    got = run(
        page,
        """
        const { Speech } = await import("/static/consultation/speech.js");
        const made = [];
        class SlowVoice extends EventTarget {
          mode = "off";
          stream = {getAudioTracks: () => ["track"]};
          constructor() { super(); made.push(this); }
          async change(mode) { this.mode = mode; await new Promise((done) => setTimeout(done, 20)); }
          async start({mode}) { await this.change(mode); await this.change(this.mode); return this.stream; }
          stop() { this.mode = "stopped"; }
        }
        const tried = async (...wishes) => {
          const sent = [];
          made.length = 0;
          const speech = new Speech(async () => new SlowVoice());
          const pending = [];
          for (const wish of wishes) {
            pending.push(speech.set(wish, async (track) => sent.push(track)));
            await new Promise((done) => setTimeout(done, 5));
          }
          const troubles = await Promise.all(pending);
          return [sent.at(-1) ?? null, made.map(({mode}) => mode), speech.voice?.mode ?? null, troubles.join("")];
        };
        const lost = new Speech(async () => new SlowVoice());
        const heard = new Promise((done) => lost.addEventListener("trouble", ({detail}) => done(detail.why)));
        await lost.set("masked", async () => {});
        lost.voice.dispatchEvent(new Event("lost"));
        return {
          on: await tried("masked"), changed: await tried("masked", "natural"), off: await tried("masked", "off"),
          again: await tried("masked", "off", "natural"), lost: [await heard, lost.voice],
        };
        """,
    )
    assert got == {
        "on": ["track", ["masked"], "masked", ""],
        "changed": ["track", ["natural"], "natural", ""],
        "off": [None, ["stopped"], None, ""],
        "again": ["track", ["stopped", "natural"], "natural", ""],
        "lost": ["lost", None],
    }
