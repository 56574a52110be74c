/** A room's own camera or recording host: what it does now, and setting, trying and removing it. */

import { useState } from "preact/hooks";
import type { CameraSeen, CameraView, RoomRow } from "../generated/api";
import { del, post, put } from "../ui/api";
import { Button, Dialog, Failure, Field, Segmented, StateChip, useAction } from "../ui/components";
import { t } from "../ui/i18n";
import { label, soundName } from "../ui/names";

export function CameraCell({ camera, edit }: { camera: CameraView | undefined; edit: () => void }) {
  return (
    <>
      {camera === undefined ? (
        <span class="dim">{t("camera.none")}</span>
      ) : (
        <>
          <StateChip tone={camera.state === "live" ? "ok" : camera.state === "failed" ? "bad" : ""} icon={camera.state === "failed" ? "linkoff" : "check"}>
            {t(`camera.state.${camera.state}`)}
          </StateChip>{" "}
          <span class="dim sm">{camera.address}</span>
          {camera.state === "live" && <span class="dim sm">{soundOf(camera.seen)}</span>}
          {camera.seen.problem && camera.state === "failed" && <span class="sm">{problem(camera.seen)}</span>}
        </>
      )}{" "}
      <Button small onClick={edit}>
        {t(camera === undefined ? "camera.set" : "camera.change")}
      </Button>
    </>
  );
}

export function CameraDialog({ room, camera, close, done }: { room: RoomRow; camera: CameraView | undefined; close: () => void; done: () => void }) {
  const [url, setUrl] = useState("");
  const [lessons, setLessons] = useState<CameraView["lessons"]>(camera?.lessons ?? "all");
  const [sound, setSound] = useState<"panel" | "camera">(camera?.sound ? "camera" : "panel");
  const [seen, setSeen] = useState<CameraSeen | null>(null);
  const changed = camera !== undefined && (lessons !== camera.lessons || (sound === "camera") !== camera.sound);
  const saving = useAction();
  const looking = useAction();
  const path = `/api/rooms/${encodeURIComponent(room.id)}/camera`;
  const look = () =>
    looking.run(async () => {
      setSeen(null);
      setSeen(await post<CameraSeen>(`${path}/look`, { url, lessons, sound: sound === "camera" }));
    });
  const change = (act: () => Promise<unknown>) =>
    saving.run(async () => {
      await act();
      done();
      close();
    });
  return (
    <Dialog title={`${t("camera.title")} · ${label(room.name)}`} onClose={close}>
      <p class="sm mut">{t("camera.lead")}</p>
      <Field label={t("camera.url")} hint={camera && t("camera.kept", { address: camera.address })}>
        <input
          class="input"
          type="text"
          name="camera"
          value={url}
          placeholder={t("camera.url_hint")}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => {
            setUrl(event.currentTarget.value);
            setSeen(null);
          }}
        />
      </Field>
      <div class="field">
        <span class="field-label">{t("camera.lessons")}</span>
        <Segmented<CameraView["lessons"]>
          label={t("camera.lessons")}
          value={lessons}
          choices={(["all", "hosting"] as const).map((value) => ({ value, label: t(`camera.lessons.${value}`) }))}
          onChange={setLessons}
        />
      </div>
      <div class="field">
        <span class="field-label">{t("camera.sound")}</span>
        <Segmented<"panel" | "camera">
          label={t("camera.sound")}
          value={sound}
          choices={(["panel", "camera"] as const).map((value) => ({ value, label: t(`camera.sound.${value}`) }))}
          onChange={setSound}
        />
        <span class="xs dim">{t("camera.sound_means")}</span>
      </div>
      <div role="status">{seen && <Seen seen={seen} />}</div>
      <Failure error={looking.error ?? saving.error} />
      <div class="dialog-acts">
        {camera && (
          <Button kind="bad" busy={saving.busy} onClick={() => change(() => del(path))}>
            {t("camera.remove")}
          </Button>
        )}
        <Button busy={looking.busy} disabled={url.trim() === "" && !camera} onClick={look}>
          {t("camera.test")}
        </Button>
        <Button kind="pri" busy={saving.busy} disabled={url.trim() === "" && !changed} onClick={() => change(() => put(path, { url, lessons, sound: sound === "camera" }))}>
          {t("camera.save")}
        </Button>
      </div>
    </Dialog>
  );
}

function Seen({ seen }: { seen: CameraSeen }) {
  if (seen.problem) return <p class="sm">{problem(seen)}</p>;
  return (
    <>
      {seen.still && <img class="camera-still" src={seen.still} alt={t("camera.still")} />}
      <p class="sm">
        {t("camera.good", { video: seen.video.toUpperCase(), width: seen.width, height: seen.height })} · {soundOf(seen)}
      </p>
    </>
  );
}

function problem(seen: CameraSeen): string {
  return t(`camera.problem.${seen.problem ?? "interrupted"}`, { video: seen.video });
}

function soundOf(seen: CameraSeen): string {
  if (seen.audio === "") return t("camera.sound_none");
  return t(seen.transcoded ? "camera.sound_changed" : "camera.sound_same", { audio: soundName(seen.audio) });
}
