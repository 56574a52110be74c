/** One room on the host's or an observer's screen: its picture, line, hands, turns, and what can be done with it. */
import type { Participant } from "../generated/live";
import { Button } from "../ui/components";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import { soundName } from "../ui/names";
import type { Classroom } from "./classroom";
import { Face, LinkMark } from "./parts";
import { NextSource } from "./pictures";
import { faceOf, hasNotCome, inLesson, inRoomOf, listensOnly, type Room, tileState } from "./room";
import { lasting, serverNow } from "./ticker";
import { darkened, shortly, whyUnsent } from "./unseen";

const DOTS = [1, 2, 3, 4];

export interface TileProps {
  classroom: Classroom;
  room: Room;
  participant: Participant;
  /** The suggestion of whom to call. */
  next?: boolean;
  /** Observers see the same tile without buttons. */
  silent?: boolean;
  /** The number key that calls this room. */
  shortcut?: number;
}

export function Tile(props: TileProps) {
  const { classroom, room, participant, next } = props;
  const state = tileState(room, participant);
  const { snapshot } = room;
  const away = serverNow(room) - participant.since;
  const shown = snapshot.called === participant.id || snapshot.spotlight === participant.id;
  const quiet = state === "audio_only" || state === "reconnecting" || state === "offline";
  const pictured = faceOf(room, participant) !== undefined;
  return (
    <article
      class={`tile ${shown ? "is-spot" : next ? "is-next" : ""} ${quiet ? "dim-v" : ""}`}
      data-room={participant.room || participant.id}
      data-participant-id={participant.id}
      data-state={state}
      data-hands={participant.hands.length}
      data-turns={participant.turns}
      data-muted={participant.muted}
      data-recording={participant.recording}
      aria-label={participant.unitName}
    >
      <div class="v">
        {pictured && <Face classroom={classroom} participant={participant} />}
        <span class="ttl">
          <b class="ell">{participant.unitName}</b>
          <span class="ell">{participant.className || participant.name}</span>
        </span>
        {quiet && (
          <span class="ov">
            <Icon name={state === "audio_only" ? "ear" : state === "offline" ? "linkoff" : "load"} size="lg" spin={state === "reconnecting"} />
            <b>{state === "audio_only" ? shortly(whyUnsent(room, participant), participant) : t(`classroom.tile.${hasNotCome(participant) ? "not_come" : state}`)}</b>
            {state !== "audio_only" && participant.phone && (
              <span class="sm">
                <Icon name="phone" size="sm" /> {participant.phone}
              </span>
            )}
          </span>
        )}
        {!quiet && !pictured && <NoPicture room={room} participant={participant} />}
        <Badge room={room} participant={participant} shown={shown} />
        <span class="lks">
          <LinkMark room={room} participant={participant} seconds={Math.max(0, Math.round(away))} />
        </span>
        <span class={`mi ${room.links[participant.id]?.speaking && !participant.muted ? "talking" : ""}`}>
          <Icon name={participant.muted ? "micoff" : "mic"} size="sm" label={t(participant.muted ? "classroom.mic.off" : "classroom.mic.on")} />
        </span>
      </div>
      <div class="ft">
        <div class="row r1">
          <Hands room={room} participant={participant} />
          <CameraMark room={room} place={participant.room} />
        </div>
        <div class="row r2">
          <Turns room={room} participant={participant} />
          <span class="grow" />
          {!props.silent && participant.role === "endpoint" && <Acts {...props} />}
        </div>
      </div>
    </article>
  );
}

/** A room goes on without a camera, or without any device: what it still gives is said in the place of its picture. That
 * it has none is only said once the room has said so, however slow its machine is. */
function NoPicture({ room, participant }: { room: Room; participant: Participant }) {
  const heard = room.tracks.some((track) => inRoomOf(room, participant, track.participant) && track.kind === "audio");
  const listens = listensOnly(room, participant);
  const gives = listens ? "listen_only" : !darkened(participant) ? "no_picture" : heard ? "sound_only" : "listens";
  return (
    <span class="ov" data-gives={gives}>
      <Icon name={gives === "sound_only" || gives === "listen_only" ? "ear" : "camoff"} size="lg" />
      {darkened(participant) && !listens && <b>{t(`classroom.device.short_${participant.camera}`)}</b>}
      <span class="sm">{t(gives === "sound_only" && darkened(participant) ? "classroom.tile.sound_left" : `classroom.tile.${gives}`)}</span>
    </span>
  );
}

/** What is to be known of the camera that a room has already: that its sound is changed on the way, or why it is not seen. */
export function CameraMark({ room, place }: { room: Room; place: string }) {
  const camera = room.snapshot.cameras.find((one) => one.room === place && place !== "");
  if (camera === undefined) return null;
  const values = { video: camera.video.toUpperCase(), audio: soundName(camera.audio) };
  const words =
    camera.state === "failed"
      ? t("camera.tile.failed", { problem: t(`camera.short.${camera.problem ?? "interrupted"}`, values) })
      : t(camera.transcoded ? "camera.tile.transcoded" : "camera.tile.live", values);
  return (
    <span class={`own-camera xs ell ${camera.state === "failed" ? "bad" : ""}`} data-camera={camera.problem ?? (camera.transcoded ? "transcoded" : "live")} title={words} role="status">
      <Icon name={camera.state === "failed" ? "camoff" : "cam"} size="sm" />
      <span class="ell">{words}</span>
    </span>
  );
}

/** The one thing worth saying over the picture, the most urgent first. */
function Badge({ room, participant, shown }: { room: Room; participant: Participant; shown: boolean }) {
  const echo = room.links[participant.id]?.echo;
  if (echo) {
    return (
      <span class="ask" role="alert" data-echo={echo}>
        <Icon name="vol" size="sm" />
        {t(`classroom.tile.${echo}`)}
      </span>
    );
  }
  if (room.snapshot.called === participant.id) {
    const seat = room.snapshot.calledSeat;
    return (
      <span class="spot">
        <Icon name="focus" size="sm" />
        {seat === null ? t("classroom.tile.called") : t("classroom.tile.called_seat", { seat })}
      </span>
    );
  }
  if (participant.signal === "no_sound" || participant.signal === "slower") {
    return (
      <span class="ask" role="status">
        <Icon name={participant.signal === "slower" ? "turtle" : "mute"} size="sm" />
        {t(`classroom.tile.signal_${participant.signal}`)}
      </span>
    );
  }
  const here = participant.presence !== "offline";
  if (here && participant.microphone !== null && participant.microphone !== "ok" && !listensOnly(room, participant)) {
    return (
      <span class="norec" data-listens>
        <Icon name="micoff" size="sm" />
        {t("classroom.tile.listens_short")}
      </span>
    );
  }
  if (shown) {
    return (
      <span class="spot">
        <Icon name="focus" size="sm" />
        {t("classroom.tile.spotlit")}
      </span>
    );
  }
  if (participant.recording === "no_consent") {
    return (
      <span class="norec">
        <Icon name="camoff" size="sm" />
        {t("classroom.recording.no_consent")}
      </span>
    );
  }
  if (participant.signal === "ready") {
    return (
      <span class="norec">
        <Icon name="check" size="sm" />
        {t("classroom.tile.signal_ready")}
      </span>
    );
  }
  return null;
}

function Hands({ room, participant }: { room: Room; participant: Participant }) {
  const { hands } = participant;
  if (hands.length === 0) {
    return (
      <>
        <span class="hq">
          <Icon name="hand" />
        </span>
        <span class="sm dim ell">{t("classroom.tile.no_hands")}</span>
      </>
    );
  }
  const oldest = Math.min(...hands.map((hand) => hand.at));
  return (
    <>
      <span class="hq on">
        <Icon name="hand" label={t("classroom.tile.hands", { n: hands.length })} />
        <b>{hands.length}</b>
      </span>
      <ul class="q">
        {hands.slice(0, 5).map((hand) => (
          <li key={hand.id}>{hand.seat === null ? t("classroom.seat.whole") : t("classroom.seat.no", { seat: hand.seat })}</li>
        ))}
      </ul>
      <span class="sm dim wt">{lasting(serverNow(room) - oldest)}</span>
    </>
  );
}

function Turns({ room, participant }: { room: Room; participant: Participant }) {
  if (participant.role !== "endpoint") return null;
  if (participant.turns === 0 && listensOnly(room, participant)) {
    return (
      <span class="turn" data-listen-only>
        <Icon name="ear" size="sm" />
        {t("classroom.tile.listen_only_short")}
      </span>
    );
  }
  if (participant.turns === 0) {
    return (
      <span class="turn none">
        <Icon name="warn" size="sm" />
        {t("classroom.turns.none")}
      </span>
    );
  }
  return (
    <span class="turn">
      <span class="td" aria-hidden>
        {DOTS.map((dot) => (
          <i key={dot} class={dot <= participant.turns ? "on" : ""} />
        ))}
      </span>
      {t("classroom.turns.n", { n: participant.turns })}
    </span>
  );
}

function Acts({ classroom, room, participant, next, shortcut }: TileProps) {
  const { snapshot } = room;
  const away = participant.presence !== "connected";
  const called = snapshot.called === participant.id;
  const spotlit = snapshot.spotlight === participant.id;
  if (hasNotCome(participant)) return participant.phone ? <PhoneLink phone={participant.phone} /> : null;
  return (
    <>
      <button
        type="button"
        class="btn s icon2"
        data-action="spotlight"
        aria-pressed={spotlit}
        aria-label={t(spotlit ? "classroom.act.spotlight_end" : "classroom.act.spotlight")}
        title={t(spotlit ? "classroom.act.spotlight_end" : "classroom.act.spotlight")}
        onClick={() => classroom.ask({ t: "spotlight", participant: spotlit ? null : participant.id })}
      >
        <Icon name="focus" size="sm" />
      </button>
      <NextSource classroom={classroom} room={room} participant={participant} />
      <button
        type="button"
        class="btn s icon2"
        data-action="mute"
        aria-pressed={participant.muted}
        aria-label={t(participant.muted ? "classroom.act.unmute" : "classroom.act.mute")}
        title={t(participant.muted ? "classroom.act.unmute" : "classroom.act.mute")}
        onClick={() => classroom.ask({ t: "mute", participant: participant.id, muted: !participant.muted })}
      >
        <Icon name={participant.muted ? "micoff" : "mic"} size="sm" />
      </button>
      {away && participant.phone ? (
        <PhoneLink phone={participant.phone} />
      ) : called ? (
        <Button small action="end-call" onClick={() => classroom.ask({ t: "end_call" })}>
          {t("classroom.act.end_call")}
        </Button>
      ) : (
        <Button
          small
          kind={next ? "pri" : undefined}
          action="call-on"
          disabled={!inLesson(snapshot) || away}
          label={t("classroom.act.call_room", { unit: participant.unitName, key: shortcut ?? "" })}
          onClick={() => classroom.ask({ t: "call_on", participant: participant.id })}
        >
          {t("classroom.act.call")}
        </Button>
      )}
    </>
  );
}

function PhoneLink({ phone }: { phone: string }) {
  return (
    <a class="btn s" href={`tel:${phone.replace(/[^\d+,]/g, "")}`}>
      <Icon name="phone" size="sm" />
      {t("classroom.act.phone")}
    </a>
  );
}
