/** The host's own classroom among the tiles. */
import { Button } from "../ui/components";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import type { Classroom } from "./classroom";
import { DeviceTrouble } from "./device-trouble";
import { Picture } from "./parts";
import { type Room, self, tileState } from "./room";
import { CameraMark } from "./tile";

/** The host's own classroom: what its pupils' camera sends, or the teacher's where there is but one. */
export function OwnTile({ classroom, room, choose }: { classroom: Classroom; room: Room; choose: () => void }) {
  const me = self(room);
  const media = classroom.media.value;
  if (me === undefined) return null;
  const source = media.local.has("pupils") ? "pupils" : "teacher";
  const state = classroom.line.value.phase === "connected" ? tileState(room, me) : "reconnecting";
  return (
    <article class="tile own" data-room={me.room || me.id} data-participant-id={me.id} data-state={state} data-hands={me.hands.length} data-muted={me.muted}>
      <div class="v">
        <Picture stream={media.local.get(source)} participant={me.id} source={source} />
        <span class="ttl">
          <b class="own">{t("classroom.tile.here")}</b>
          <b class="ell">{me.unitName}</b>
          <span class="ell">{me.className}</span>
        </span>
        {!media.local.has(source) && (
          <span class="ov">
            <Icon name="camoff" size="lg" />
            <b>{t(media.camera === "off" ? "classroom.tile.camera_off" : media.camera ? `classroom.device.short_${media.camera}` : "classroom.tile.opening_camera")}</b>
          </span>
        )}
        <span class="mi">
          <Icon name={me.muted ? "micoff" : "mic"} size="sm" label={t(me.muted ? "classroom.mic.off" : "classroom.mic.on")} />
        </span>
      </div>
      <div class="ft">
        <div class="row r1">
          <DeviceTrouble classroom={classroom} choose={choose} />
          <CameraMark room={room} place={me.room} />
          {media.microphone === null && media.camera === null && (
            <span class="sm dim ell">
              {t(`classroom.sending.${media.publishing}`, { n: [...media.local.keys()].filter((s) => s !== "mic" && s !== "screen").length })}
            </span>
          )}
        </div>
        <div class="row r2">
          <span class="grow" />
          <button type="button" class="btn s icon2" data-action="choose-devices" aria-label={t("classroom.devices.title")} title={t("classroom.devices.title")} onClick={choose}>
            <Icon name="cam" size="sm" />
          </button>
          {media.local.has("teacher") && media.local.has("pupils") && (
            <Button small icon="swap" action="swap-cameras" onClick={() => classroom.swapCameras()}>
              {t("classroom.act.swap_cameras")}
            </Button>
          )}
          <Button small icon={me.muted ? "micoff" : "mic"} action="mute-self" onClick={() => classroom.ask({ t: "mute", participant: me.id, muted: !me.muted })}>
            {t(me.muted ? "classroom.act.unmute_me" : "classroom.act.mute_me")}
          </Button>
        </div>
      </div>
    </article>
  );
}
