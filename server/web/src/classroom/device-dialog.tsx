/** Choosing cameras, microphone and loudspeaker of this machine, seeing and hearing at once what they give. */
import { useEffect, useState } from "preact/hooks";
import { Button, Dialog, Note } from "../ui/components";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import { Capture, type CameraSource, PLANS, type Source } from "./capture";
import { type Choice, choiceOf, choose, find, fitting, onDevices, plugged, type Use } from "./devices";
import { LevelMeter } from "./level";
import { Picture } from "./parts";
import { routeAll } from "./sound";
import { aloud, canChoose, type SpeakerState } from "./speaker";

export interface DeviceDialogProps {
  /** What the page has open; without it the dialog opens and closes its own. */
  capture: Capture | null;
  /** Whose devices are chosen: those of a page that only listens have no camera. */
  role: string;
  onClose: () => void;
}

export function DeviceDialog({ capture, role, onClose }: DeviceDialogProps) {
  const [own, setOwn] = useState<Capture | null>(null);
  const [devices, setDevices] = useState<MediaDeviceInfo[]>([]);
  const plan = PLANS[role];
  const used = capture ?? own;
  const version = used?.version.value;
  useEffect(() => {
    if (capture !== null || plan === undefined) return undefined;
    const opened = new Capture(plan, () => undefined);
    setOwn(opened);
    opened.watch();
    void opened.open();
    return () => opened.close();
  }, []);
  useEffect(() => {
    let shown = true;
    const look = () => void plugged().then((found) => shown && setDevices(found));
    look();
    const end = onDevices(look);
    return () => {
      shown = false;
      end();
    };
  }, [version]);
  const insecure = used?.microphone === "insecure";
  return (
    <Dialog title={t("classroom.devices.title")} onClose={onClose}>
      <div class="devices" data-devices={role}>
        {insecure && <Note tone="bad">{t("classroom.device.both_insecure")}</Note>}
        {used?.plan.cameras.map((source) => <Camera key={source} capture={used} source={source} devices={devices} />)}
        {used && <Microphone capture={used} devices={devices} />}
        <Speaker capture={used} devices={devices} />
        <p class="sm mut">{t("classroom.devices.kept")}</p>
        <div class="dialog-acts">
          {used && (
            <Button icon="load" action="retry-devices" onClick={() => void used.open()}>
              {t("classroom.device.retry")}
            </Button>
          )}
          <Button kind="pri" action="close-devices" onClick={onClose}>
            {t("classroom.devices.done")}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

interface RowProps {
  capture: Capture;
  devices: readonly MediaDeviceInfo[];
}

function Camera({ capture, source, devices }: RowProps & { source: CameraSource }) {
  capture.version.value;
  const track = capture.tracks.get(source);
  const stream = useStream(track);
  return (
    <section class="dv" data-use={source} data-state={track ? "ok" : (capture.faults.get(source) ?? "missing")}>
      <div class="dv-pic">{stream ? <Picture stream={stream} participant="" source={source} /> : <Icon name="camoff" size="lg" />}</div>
      <div class="dv-set">
        <Chooser use={source} devices={devices} track={track} choose={(choice) => void capture.use(source, choice)} />
        <State capture={capture} source={source} word="camera" main={source === capture.plan.cameras[0]} />
      </div>
    </section>
  );
}

function Microphone({ capture, devices }: RowProps) {
  capture.version.value;
  const track = capture.tracks.get("mic");
  const stream = useStream(track, true);
  return (
    <section class="dv" data-use="mic" data-state={track ? "ok" : (capture.faults.get("mic") ?? "missing")}>
      <div class="dv-pic">{stream ? <LevelMeter stream={stream} /> : <Icon name="micoff" size="lg" />}</div>
      <div class="dv-set">
        <Chooser use="mic" devices={devices} track={track} choose={(choice) => void capture.use("mic", choice)} />
        <State capture={capture} source="mic" word="microphone" main />
      </div>
    </section>
  );
}

/** One line under a device: that another stands in for it, or why there is nothing. */
function State({ capture, source, word, main }: { capture: Capture; source: Source; word: string; main: boolean }) {
  // read, so that this is painted again with every change
  capture.version.value;
  const standIn = capture.standIns.get(source);
  if (standIn) return <p class="sm warn-text">{t("classroom.device.stands_in", { ...standIn })}</p>;
  if (capture.tracks.has(source)) return <p class="sm mut">{t(`classroom.devices.${word}_ok`)}</p>;
  const fault = capture.faults.get(source);
  if (fault === "off") return <p class="sm mut">{t(`classroom.devices.${word}_off`)}</p>;
  if (fault === undefined) return <p class="sm mut">{t(main ? "classroom.tile.opening_camera" : "classroom.devices.no_second")}</p>;
  return (
    <p class="sm warn-text" role="status">
      {t(`classroom.device.${word}_${fault}`)}
    </p>
  );
}

function Speaker({ capture, devices }: { capture: Capture | null; devices: readonly MediaDeviceInfo[] }) {
  const [state, setState] = useState<SpeakerState | "trying" | null>(null);
  const [version, setVersion] = useState(0);
  const attempt = () => {
    setState("trying");
    void aloud(capture?.tracks.get("mic")).then(setState);
  };
  return (
    <section class="dv" data-use="speaker" data-state={state ?? "unknown"} key={version}>
      <div class="dv-pic">
        <Icon name="vol" size="lg" />
      </div>
      <div class="dv-set">
        {canChoose ? (
          <Chooser
            use="speaker"
            devices={devices}
            choose={(choice) => {
              choose("speaker", choice);
              routeAll();
              setVersion(version + 1);
            }}
          />
        ) : (
          <b>{t("classroom.devices.speaker")}</b>
        )}
        <div class="row">
          <Button small icon="play" action="try-speaker" busy={state === "trying"} onClick={attempt}>
            {t("classroom.devices.try")}
          </Button>
          <p class={`sm grow ${state === "missing" || state === "blocked" ? "warn-text" : "mut"}`} role="status">
            {state === null ? (canChoose ? "" : t("classroom.devices.speaker_system")) : t(`classroom.devices.speaker_${state}`)}
          </p>
        </div>
      </div>
    </section>
  );
}

interface ChooserProps {
  use: Use;
  devices: readonly MediaDeviceInfo[];
  track?: MediaStreamTrack;
  choose: (choice: Choice) => void;
}

function Chooser({ use, devices, track, choose: take }: ChooserProps) {
  const all = fitting(devices, use);
  const choice = choiceOf(use);
  const current = track?.getSettings().deviceId ?? find(devices, use)?.deviceId ?? "";
  const value = choice === "off" ? "off" : choice === null && use === "speaker" ? "" : current;
  const change = (chosen: string) => {
    if (chosen === "off") take("off");
    else {
      const device = all.find((one) => one.deviceId === chosen);
      take(device ? { id: device.deviceId, label: device.label } : null);
    }
  };
  return (
    <label class="dv-label">
      <b>{t(`classroom.devices.${use}`)}</b>
      <select class="input" name={`device-${use}`} value={value} onChange={(event) => change(event.currentTarget.value)}>
        {(use === "speaker" || value === "") && <option value="">{t(all.length === 0 ? "classroom.devices.none" : "classroom.devices.any")}</option>}
        {all.map((device, index) => (
          <option key={device.deviceId} value={device.deviceId}>
            {device.label || t(`classroom.devices.nameless_${use === "mic" || use === "speaker" ? use : "camera"}`, { n: index + 1 })}
          </option>
        ))}
        {use !== "speaker" && <option value="off">{t(`classroom.devices.off_${use === "mic" ? "mic" : "camera"}`)}</option>}
      </select>
    </label>
  );
}

/**
 * The same stream for the same track, so that its picture is not begun anew with every paint. `open`: heard here even
 * while the lesson keeps the microphone closed.
 */
function useStream(track: MediaStreamTrack | undefined, open = false): MediaStream | undefined {
  const [stream, setStream] = useState<MediaStream>();
  useEffect(() => {
    if (track === undefined) {
      setStream(undefined);
      return undefined;
    }
    const shown = open ? track.clone() : track;
    if (open) shown.enabled = true;
    setStream(new MediaStream([shown]));
    return () => {
      if (open) shown.stop();
    };
  }, [track]);
  return stream;
}
