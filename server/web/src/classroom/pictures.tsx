/** Which picture stands for a room, and what becomes of it on the way: choosing among cameras, and the words for lines. */
import type { Participant } from "../generated/live";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import type { Classroom } from "./classroom";
import { faceOf, picturesOf, type Room } from "./room";
import { shortly, type Why } from "./unseen";

/** Lines of the low layer, and a little more: a camera may be another one than is asked for. */
const LOW_LINES = 270;

/** Over a picture that does not go on: whose matter that is. */
export function Still({ why, participant }: { why: Why; participant: Participant }) {
  const words = shortly(why, participant);
  return (
    <span class="still" role="status" title={words} data-why={why}>
      <Icon name="pause" size="sm" />
      <span class="say">{words}</span>
    </span>
  );
}

/** How people call the codecs of pictures. */
const CODECS: Record<string, string> = { h264: "H.264", vp8: "VP8" };

/** In the place of a picture that nobody sends, that this browser cannot play, or whose first frame has not come; the style shows the last only then. */
export function Absent({ why, codec = "" }: { why: "none" | "coming" | "unplayable"; codec?: string }) {
  return (
    <span class={`absent ${why}`}>
      <Icon name={why === "coming" ? "load" : "camoff"} size="lg" spin={why === "coming"} />
      <span class="say">{t(`classroom.picture.${why}`, { codec: CODECS[codec] ?? codec })}</span>
    </span>
  );
}

interface SourcesProps {
  classroom: Classroom;
  room: Room;
  participant: Participant;
}

/** One button for each picture of a room, where there is more than one. */
export function Sources({ classroom, room, participant }: SourcesProps) {
  const pictures = picturesOf(room, participant);
  if (pictures.length < 2) return null;
  const shown = faceOf(room, participant);
  return (
    <div class="seg-ctl" role="group" aria-label={t("classroom.picture.choose", { unit: participant.unitName })}>
      {pictures.map((track) => (
        <button
          key={track.id}
          type="button"
          data-action="select-source"
          data-source={track.source}
          aria-pressed={track.id === shown?.id}
          onClick={() => classroom.selectSource(participant, track.source)}
        >
          {t(`classroom.picture.${track.source}`)}
        </button>
      ))}
    </div>
  );
}

/** The same for a narrow place: one button that goes on to the next picture. */
export function NextSource({ classroom, room, participant }: SourcesProps) {
  const after = nextSource(room, participant);
  if (after === undefined) return null;
  const label = t("classroom.picture.next", { source: t(`classroom.picture.${after}`) });
  return (
    <button
      type="button"
      class="btn s icon2"
      data-action="select-source"
      data-source={after}
      aria-label={label}
      title={label}
      onClick={() => classroom.selectSource(participant, after)}
    >
      <Icon name="swap" size="sm" />
    </button>
  );
}

/** The picture after the one that is shown; none where there is no other. */
export function nextSource(room: Room, participant: Participant): string | undefined {
  const pictures = picturesOf(room, participant);
  const at = pictures.findIndex((track) => track.id === faceOf(room, participant)?.id);
  return pictures.length < 2 ? undefined : pictures[(at + 1) % pictures.length]?.source;
}

/** What a far room gets of the picture that is shown to all: a word, and whether it is less than it should be. */
export function seenWord(room: Room, participant: Participant): { word: string; poor: boolean } | null {
  const link = room.links[participant.id];
  if (participant.presence !== "connected" || !link?.sees) return null;
  const { sees, height } = link;
  if (sees === "still" || sees === "unsent") return { word: t(`classroom.sees.${sees}`), poor: true };
  const frozen = link.freezes > 0;
  // what the room told last may be of the layer before
  const lines = height > 0 && (sees === "high" || height <= LOW_LINES) ? t("classroom.sees.lines", { word: t(`classroom.sees.${sees}`), n: height }) : t(`classroom.sees.${sees}`);
  return { word: frozen ? t("classroom.sees.freezing", { word: lines }) : lines, poor: frozen || sees === "low" };
}

/** Everything known of a line, for whoever asks for it. */
export function lineWords(room: Room, participant: Participant): string | undefined {
  const link = room.links[participant.id];
  if (!link) return undefined;
  const seen = seenWord(room, participant);
  return [
    seen && t("classroom.line.sees", { word: seen.word }),
    t("classroom.line.round", { n: Math.round(link.rttMs) }),
    t("classroom.line.lost", { n: Math.round(link.loss * 100) }),
    t("classroom.line.rates", { up: Math.round(link.kbps), down: Math.round(link.downKbps) }),
  ]
    .filter(Boolean)
    .join(" · ");
}
