"""Another microphone is chosen while the one in use goes away: no device stays open that nobody uses."""

from __future__ import annotations

from typing import Any

from tests import client_code

MACHINE = """
    // microphones that open when the test says so, and tell whether they are still open
    const plugged = ["a", "b", "c"].map((id) => ({ kind: "audioinput", deviceId: id, label: id.toUpperCase() }));
    const kept = new Map(), open = [], asked = [], listeners = [];
    globalThis.localStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value),
                                removeItem: (key) => kept.delete(key) };
    globalThis.MediaStream = class { constructor(track) { this.getTracks = () => [track]; } };
    const microphone = (id) => {
        const device = plugged.find((one) => one.deviceId === id);
        const track = { kind: "audio", label: device.label, getSettings: () => ({ deviceId: id }), live: true,
                        stop: () => { track.live = false; }, addEventListener: () => undefined };
        open.push(track);
        return new MediaStream(track);
    };
    const mediaDevices = {
        enumerateDevices: async () => [...plugged],
        addEventListener: (_, heard) => listeners.push(heard),
        removeEventListener: () => undefined,
        getUserMedia: ({ audio }) => new Promise((done) => {
            const id = audio.deviceId?.exact ?? plugged[0].deviceId;
            asked.push({ id, opens: () => done(microphone(id)) });
        }),
    };
    Object.defineProperty(globalThis, "navigator", { value: { mediaDevices, language: "en" }, configurable: true });
    const until = async (condition) => { while (!condition()) await new Promise((done) => setTimeout(done, 1)); };
    const opens = async (id) => {
        await until(() => asked.some((one) => one.id === id));
        asked.splice(asked.findIndex((one) => one.id === id), 1)[0].opens();
    };
    const live = () => open.filter((track) => track.live).map((track) => track.label);
    const capture = new module.Capture({ cameras: [] }, () => undefined);
    capture.watch();
    const opened = capture.open();
    await opens("a");
    await opened;
    let settled = false;
    const chosen = capture.use("mic", { id: "c", label: "C" }).then(() => { settled = true; });
    await until(() => asked.length === 1);
"""

PULLED = (
    MACHINE
    + """
    plugged.shift();
    for (const heard of listeners) heard();
    await until(() => !live().includes("A"));
    for (let turn = 0; turn < 20; turn++) await new Promise((done) => setTimeout(done, 1));
    await opens("c");
    const deadline = Date.now() + 3000;
    while (Date.now() < deadline && !(settled && asked.length === 0 && live().length === 1)) {
        if (settled && asked.length > 0) asked.shift().opens();
        await new Promise((done) => setTimeout(done, 5));
    }
    return [live(), capture.tracks.get("mic").label, [...capture.standIns]];
"""
)


def test_a_microphone_that_goes_away_while_another_is_opened_leaves_no_third_one_open() -> None:
    found: list[Any] = client_code.run("classroom/capture.ts", PULLED, None)
    assert found == [["C"], "C", []]
