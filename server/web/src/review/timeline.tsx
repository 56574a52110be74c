/** The lesson on one line: chapters, marks and comments, who spoke, gaps, and the play position that can be dragged. */
import { useRef } from "preact/hooks";
import type { ReviewView, ViewTrack } from "../generated/api";
import { has, t } from "../ui/i18n";
import { Icon, type IconName } from "../ui/icons";
import type { Playback } from "./playback";
import { initial, lessonTime, markWord, sideClass } from "./words";

const MARK_ICONS: Record<string, IconName> = { mark: "mark", hand: "hand", call: "mic", dropout: "linkoff", signal: "turtle" };
/** Talk shorter than this share of the line is still drawn as wide as a hair. */
const HAIR = 0.15;

export interface TimelineProps {
  view: ReviewView;
  playback: Playback;
  selected: string | null;
  select: (comment: string) => void;
}

/** Every place that a person may want to jump to, in order. Raised hands are too many for that. */
export function pointsOf(view: ReviewView): number[] {
  const all = [...view.marks.filter((mark) => mark.kind !== "hand").map((mark) => mark.at), ...view.comments.flatMap((comment) => comment.at ?? []), ...view.chapters.map((chapter) => chapter.start)];
  return [...new Set(all.map((at) => Math.round(at * 10) / 10))].sort((a, b) => a - b);
}

export function Timeline({ view, playback, selected, select }: TimelineProps) {
  const { position } = playback.moment.value;
  const length = Math.max(1, view.duration);
  const percent = (seconds: number) => `${Math.min(100, Math.max(0, (seconds / length) * 100))}%`;
  const line = useRef<HTMLDivElement>(null);
  const seekTo = (event: PointerEvent) => {
    const box = line.current?.getBoundingClientRect();
    if (box) playback.seek(((event.clientX - box.left) / box.width) * length);
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0 || (event.target instanceof Element && event.target.closest("button") !== null)) return;
    if (!(event.currentTarget instanceof HTMLElement)) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    seekTo(event);
  };
  const move = (event: PointerEvent) => {
    if (event.currentTarget instanceof HTMLElement && event.currentTarget.hasPointerCapture(event.pointerId)) seekTo(event);
  };
  const keys = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30 }[event.key];
    if (step !== undefined) playback.step(step);
    else if (event.key === "Home") playback.seek(0);
    else if (event.key === "End") playback.seek(length);
    else return;
    event.preventDefault();
  };
  const timed = view.comments.filter((comment) => comment.at !== null && comment.replyTo === null);
  return (
    <section class="tlx" aria-label={t("review.timeline")}>
      <div class="scrub" onPointerDown={down} onPointerMove={move}>
        <div class="span" ref={line}>
          <div
            class="ph"
            role="slider"
            tabIndex={0}
            aria-label={t("review.position")}
            aria-valuemin={0}
            aria-valuemax={Math.round(length)}
            aria-valuenow={Math.round(position)}
            aria-valuetext={lessonTime(position)}
            style={{ left: percent(position) }}
            onKeyDown={keys}
          >
            <b>{lessonTime(position)}</b>
          </div>
        </div>
        <div class="tr">
          <span class="tl">{t("review.row.chapters")}</span>
          <div class="tk ch">
            {view.chapters.map((chapter) => (
              <button
                type="button"
                key={`${chapter.start}${chapter.code}`}
                style={{ left: percent(chapter.start), width: percent(chapter.end - chapter.start) }}
                aria-current={position >= chapter.start && position < chapter.end ? "true" : undefined}
                title={`${chapterWord(chapter.code, chapter.title)} ${lessonTime(chapter.start)}`}
                onClick={() => playback.seek(chapter.start)}
              >
                {chapterWord(chapter.code, chapter.title)}
              </button>
            ))}
          </div>
          <span />
        </div>
        <div class="tr pr">
          <span class="tl">{t("review.row.points")}</span>
          <div class="tk">
            {view.marks.map((mark) => (
              <button
                type="button"
                class={`mk ${mark.kind}`}
                key={`${mark.at}${mark.kind}${mark.label}`}
                data-kind={mark.kind}
                style={{ left: percent(mark.at) }}
                aria-label={`${lessonTime(mark.at)} ${markWord(mark.kind, mark.label)}`}
                title={`${lessonTime(mark.at)} ${markWord(mark.kind, mark.label)}`}
                onClick={() => playback.seek(mark.at)}
              >
                <Icon name={MARK_ICONS[mark.kind] ?? "mark"} size="sm" />
              </button>
            ))}
            {timed.map((comment) => (
              <button
                type="button"
                class={`pin ${sideClass(comment.side)} ${comment.id === selected ? "on" : ""}`}
                key={comment.id}
                style={{ left: percent(comment.at ?? 0) }}
                aria-label={`${lessonTime(comment.at ?? 0)} ${comment.authorName}`}
                title={comment.hidden ? t("review.words_hidden") : comment.text}
                onClick={() => select(comment.id)}
              >
                {initial(comment.authorName)}
              </button>
            ))}
          </div>
          <span class="tn">{view.comments.length}</span>
        </div>
        <div class="tr hd">
          <span class="tl h">{t("review.row.talk")}</span>
          <div class="dim xs">{t("review.row.talk_source")}</div>
          <span class="tn dim">{t("review.row.talk_unit")}</span>
        </div>
        {lanesOf(view).map((track) => (
          <TalkRow key={track.participant} track={track} percent={percent} length={length} />
        ))}
      </div>
    </section>
  );
}

function chapterWord(code: string, title: string): string {
  if (code === "material" && title === "") return t("board.blank");
  const word = has(`chapter.${code}`) ? t(`chapter.${code}`, { title }) : code;
  return code === "call" ? word : title || word;
}

/** One lane for each participant, whatever number of cameras it has. */
function lanesOf(view: ReviewView): ViewTrack[] {
  return view.views.filter((track, index, all) => all.findIndex((other) => other.participant === track.participant) === index);
}

interface TalkProps {
  track: ViewTrack;
  percent: (seconds: number) => string;
  length: number;
}

function TalkRow({ track, percent, length }: TalkProps) {
  const total = track.talk.reduce((sum, [from, to]) => sum + to - from, 0);
  const away = track.gaps.reduce((sum, [from, to]) => sum + to - from, 0);
  const lastGap = track.gaps[track.gaps.length - 1];
  return (
    <div class={`tr ${sideClass(track.side)}`} data-lane={track.participant}>
      <span class="tl ell" title={track.unitName}>
        {track.unitName}
      </span>
      {track.consent ? (
        <div class="tk">
          {track.talk.map(([from, to]) => (
            <i key={from} style={{ left: percent(from), width: `max(${percent(to - from)}, ${HAIR}%)` }} />
          ))}
          {track.gaps.map(([from, to]) => (
            <u key={from} data-gap style={{ left: percent(from), width: percent(to - from) }} title={`${t("review.gap")} ${lessonTime(from)}–${lessonTime(to)}`} />
          ))}
          {lastGap && away >= 20 && (
            <em style={(lastGap[1] / length) * 100 < 70 ? { left: percent(lastGap[1] + length * 0.01) } : { right: `calc(100% - ${percent(lastGap[0] - length * 0.01)})` }}>
              {t("review.gap_long", { time: lessonTime(away) })}
            </em>
          )}
        </div>
      ) : (
        <div class="tk nr">
          <em>
            <Icon name="camoff" size="sm" />
            {t(track.withdrawn ? "review.withdrawn" : "review.no_consent")}
          </em>
        </div>
      )}
      <span class={`tn ${track.consent && total === 0 ? "z" : ""}`}>{track.consent ? lessonTime(total) : "—"}</span>
    </div>
  );
}
