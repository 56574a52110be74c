/** The foot of the big panel: what the class can do, and what is said of its microphone, recording and line. */
import type { Participant } from "../generated/live";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import { DeviceTrouble, troubleOf } from "./device-trouble";
import type { ViewProps } from "./panel-view";
import { LineState, Undelivered } from "./parts";
import { inLesson, recordedUnheard } from "./room";
import { WallButton } from "./wall-button";

export function Foot({ classroom, room, me, choose }: ViewProps & { choose: () => void }) {
  const live = inLesson(room.snapshot);
  const sending = classroom.line.value.pending.some((command) => command.t === "raise_hand");
  const whole = me.hands.find((hand) => hand.seat === null);
  const up = whole !== undefined || sending;
  const capture = classroom.devices.value;
  const troubled = capture !== null && capture.version.value > 0 && troubleOf(capture) !== "";
  return (
    <footer class={live ? "" : "early"}>
      <button
        type="button"
        class={`hand ${up ? "up" : ""}`}
        data-action={whole ? "lower-hand" : "raise-hand"}
        aria-pressed={up}
        aria-disabled={!live || undefined}
        onClick={() => {
          if (!live || sending) return;
          classroom.ask(whole ? { t: "lower_hand", hand: whole.id } : { t: "raise_hand" });
        }}
      >
        <Icon name="hand" />
        {t(whole ? "classroom.panel.lower" : sending ? "classroom.panel.raising" : "classroom.panel.raise")}
        {me.hands.length > 1 && <b class="w48">{me.hands.length}</b>}
      </button>
      <div class="inf">
        {troubled ? (
          <DeviceTrouble classroom={classroom} />
        ) : (
          <span class="row">
            <Icon name={me.muted ? "micoff" : "mic"} />
            <span class="ell">{t(capture?.microphone === "off" ? "classroom.panel.listens" : recordedUnheard(me) ? "classroom.panel.mic_recorded" : me.muted ? "classroom.panel.mic_off" : "classroom.panel.mic_on")}</span>
          </span>
        )}
        <span class="row mut">
          <RecordingWord me={me} live={live} />
          <LineState classroom={classroom} />
          <Undelivered classroom={classroom} />
        </span>
      </div>
      {(!live || troubled) && (
        <WallButton action="choose-devices" onClick={choose}>
          <Icon name="cam" />
          {t("classroom.device.choose")}
        </WallButton>
      )}
      {!live && classroom.media.value.local.has("teacher") && (
        <WallButton action="swap-cameras" onClick={() => classroom.swapCameras()}>
          <Icon name="swap" />
          {t("classroom.act.swap_cameras")}
        </WallButton>
      )}
      {live && (
        <WallButton action="mark-point" onClick={() => classroom.ask({ t: "mark" })}>
          <Icon name="mark" />
          {t("classroom.act.mark")}
        </WallButton>
      )}
      <button
        type="button"
        class="wb"
        data-action="signal"
        data-kind="no_sound"
        aria-pressed={me.signal === "no_sound"}
        onClick={() => classroom.ask({ t: "signal", kind: me.signal === "no_sound" ? "ready" : "no_sound" })}
      >
        <Icon name={me.signal === "no_sound" ? "check" : "vol"} />
        {t(me.signal === "no_sound" ? "classroom.panel.sound_back" : "classroom.signal.no_sound")}
      </button>
    </footer>
  );
}

function RecordingWord({ me, live }: { me: Participant; live: boolean }) {
  const state = me.recording;
  if (state === "recording") {
    return (
      <>
        <i class="live-dot" />
        <span class="ell">{t("classroom.panel.recorded")}</span>
      </>
    );
  }
  return (
    <>
      <Icon name="camoff" />
      <span class="ell">{t(state === "no_consent" ? "classroom.panel.no_consent" : live && state === "paused" ? "classroom.recording.paused" : "classroom.panel.not_recorded")}</span>
    </>
  );
}
