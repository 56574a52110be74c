/** The parts that the host's, the rooms' and the observers' views share: pictures, sound, line and state marks. */
import { useEffect, useRef } from "preact/hooks";
import type { Participant, Snapshot } from "../generated/live";
import { has, t } from "../ui/i18n";
import { Icon, Signal } from "../ui/icons";
import type { Classroom } from "./classroom";
import type { Sent } from "./publisher";
import { Absent, lineWords, Still } from "./pictures";
import { faceOf, hasNotCome, linkBars, type Room, tileState } from "./room";
import { whyUnseen } from "./unseen";

export interface PictureProps {
  stream: MediaStream | undefined;
  participant: string;
  source?: string;
  /** Of a received picture: how large it is seen is told to the server. */
  track?: string;
}

/** A moving picture, always without sound: sound is played once, by `Sounds`. */
export function Picture({ stream, participant, source, track }: PictureProps) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    if (element === null) return;
    element.muted = true;
    if (element.srcObject !== (stream ?? null)) element.srcObject = stream ?? null;
    // Interrupted by the next stream, or refused in a hidden tab: both heal by the autoplay attribute.
    if (stream) element.play().catch(() => undefined);
  }, [stream]);
  return <video ref={video} class="cam" data-participant={participant} data-source={source} data-track={track} data-frames="0" autoplay muted playsInline />;
}

/** Writes how many frames each picture of the page has shown into `data-frames`. */
export function countFrames(): void {
  setInterval(() => {
    for (const video of document.querySelectorAll<HTMLVideoElement>("video[data-participant]")) {
      video.dataset.frames = String(video.getVideoPlaybackQuality().totalVideoFrames);
    }
  }, 500);
}

/** The picture that stands for a participant: received, or this machine's own. */
export function Face({ classroom, participant }: { classroom: Classroom; participant: Participant }) {
  const room = classroom.room.value;
  const media = classroom.media.value;
  if (room === null) return null;
  if (participant.id === room.me) {
    const chosen: Sent[] = participant.source === "room" ? [] : [participant.source];
    const sources = [...chosen, ...(participant.role === "host" ? (["teacher", "pupils"] as const) : (["pupils", "teacher"] as const))];
    const own = sources.find((s) => media.local.has(s));
    return own ? <Picture stream={media.local.get(own)} participant={participant.id} source={own} /> : <Absent why="none" />;
  }
  const track = faceOf(room, participant);
  if (track === undefined) return <Absent why="none" />;
  const why = whyUnseen(room, participant);
  return (
    <>
      <Picture stream={media.received.get(track.id)} participant={participant.id} source={track.source} track={track.id} />
      {media.unplayable.has(track.id) ? <Absent why="unplayable" codec={track.codec} /> : why ? <Still why={why} participant={participant} /> : <Absent why="coming" />}
    </>
  );
}

/** "未送达，正在重试", or why the server refused. */
export function Undelivered({ classroom }: { classroom: Classroom }) {
  const line = classroom.line.value;
  const refusal = classroom.refusal.value;
  if (line.unsent) {
    return (
      <span class="st warn" role="status">
        <Icon name="load" size="sm" spin />
        {t("classroom.unsent")}
      </span>
    );
  }
  if (refusal === null) return null;
  const key = `error.${refusal.code}`;
  return (
    <span class="st bad" role="alert" data-code={refusal.code}>
      <Icon name="warn" size="sm" />
      {has(key) ? t(key, refusal.values) : t("classroom.refused", { code: refusal.code })}
    </span>
  );
}

/** The page's own connection, when there is something to say about it. */
export function LineState({ classroom }: { classroom: Classroom }) {
  const { phase } = classroom.line.value;
  const media = classroom.media.value;
  const broken = phase === "connected" && (media.publishing === "broken" || media.watching === "broken");
  if (phase === "connected" && !broken) return null;
  return (
    <span class="st warn" role="status">
      <Icon name="load" size="sm" spin />
      {t(broken ? "classroom.line.media" : `classroom.line.${phase}`)}
    </span>
  );
}

/** The mark at the top right of a tile: its line in a word. */
export function LinkMark({ room, participant, seconds }: { room: Room; participant: Participant; seconds: number }) {
  const state = tileState(room, participant);
  if (state === "connected" || state === "weak") {
    const bars = linkBars(room, participant);
    const word = bars >= 4 ? "good" : bars === 3 ? "fair" : "weak";
    return (
      <span class={`lk ${bars >= 4 ? "ok" : "warn"}`} title={lineWords(room, participant)}>
        <Signal bars={bars} />
        {t(`classroom.link.${word}`)}
      </span>
    );
  }
  return (
    <span class={`st ${state === "offline" ? "bad" : "warn"}`}>
      <Icon name={state === "audio_only" ? "ear" : state === "offline" ? "linkoff" : "load"} size="sm" spin={state === "reconnecting"} />
      {t(`classroom.link.${hasNotCome(participant) ? "not_come" : state}`, { seconds })}
    </span>
  );
}

export function StatePill({ snapshot }: { snapshot: Snapshot }) {
  const live = snapshot.state === "live" || snapshot.state === "overrun";
  return (
    <span class={`lv ${live ? "" : "early"}`} role="status">
      {live && <i class="live-dot" />}
      {t(`classroom.state.${snapshot.state}`)}
      {snapshot.lesson.rehearsal && <small>{t("classroom.rehearsal")}</small>}
    </span>
  );
}

/** How full the shared window is, 0 to 1. */
export function progressOf(snapshot: Snapshot, now: number): number {
  const { starts, ends } = snapshot.lesson;
  return ends > starts ? Math.min(1, Math.max(0, (now - starts) / (ends - starts))) : 0;
}

/** The person or the class of a participant, as a caption has it. */
export function captionOf(participant: Participant): string {
  return [participant.unitName, participant.className].filter(Boolean).join(" ");
}
