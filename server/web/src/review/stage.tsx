/** The pictures of a review: two large, the others small, each with its own sound button. */
import { useEffect, useRef } from "preact/hooks";
import type { ReviewView, ViewTrack } from "../generated/api";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import type { Playback } from "./playback";
import { keyed, sideClass } from "./words";

export function Stage({ view, playback }: { view: ReviewView; playback: Playback }) {
  const large = playback.large.value;
  const views = keyed(view);
  const small = views.filter(({ key }) => !large.includes(key));
  return (
    <section class={`pair ${small.length === 0 ? "no-small" : ""} ${large.length < 2 ? "single" : ""}`} aria-label={t("review.views")}>
      {views.map(({ key, track }) => {
        const place = large.indexOf(key);
        const row = small.findIndex((one) => one.key === key);
        // Pictures keep their element wherever they stand: moving it in the document would restart it.
        const area = place >= 0 ? { gridColumn: place + 1, gridRow: `1 / span ${Math.max(1, small.length)}` } : { gridColumn: large.length + 1, gridRow: row + 1 };
        return <Picture key={key} id={key} track={track} withheld={view.watching !== "yes"} playback={playback} large={place >= 0} style={area} />;
      })}
    </section>
  );
}

interface PictureProps {
  id: string;
  track: ViewTrack;
  /** The asker may see facts and no pictures. */
  withheld: boolean;
  playback: Playback;
  large: boolean;
  style: Record<string, string | number>;
}

function Picture({ id, track, withheld, playback, large, style }: PictureProps) {
  const frame = useRef<HTMLDivElement>(null);
  const { position } = playback.moment.value;
  const audible = playback.audible.value === id;
  const filmed = track.segments.length > 0;
  const there = track.segments.some((segment) => position >= segment.start - 0.05 && position < segment.start + segment.duration);
  const pictured = track.segments.some((segment) => segment.hasVideo);
  useEffect(() => {
    if (!filmed) return undefined;
    playback.attach(id, frame.current);
    return () => playback.attach(id, null);
  }, [playback, id, filmed]);
  const why = track.withdrawn ? "withdrawn" : !track.consent ? "no_consent" : withheld ? "withheld" : !filmed ? "nothing" : !there ? "gap" : !pictured ? "sound_only" : null;
  return (
    <figure
      class={`vw ${large ? "" : "th"} ${audible ? "on" : ""}`}
      style={style}
      data-participant={track.participant}
      data-view={id}
      data-side={track.side}
      data-unit={track.unit}
      data-state={why ?? "playing"}
    >
      {filmed && <div ref={frame} class={there ? "screens" : "screens away"} />}
      {why !== null && (
        <span class="why">
          <Icon name={why === "no_consent" || why === "withdrawn" ? "camoff" : why === "withheld" ? "lock" : why === "gap" ? "linkoff" : why === "sound_only" ? "ear" : "camoff"} size={large ? "lg" : "sm"} />
          {large && <span>{t(`review.view.${why}`)}</span>}
        </span>
      )}
      {large ? (
        <figcaption>
          <b class={`sd ${sideClass(track.side)}`}>{t(`review.side.${track.side}`)}</b>
          <span class="ell">{track.unitName}</span>
          <span class="ell">{[track.className, track.name].filter(Boolean).join(" · ")}</span>
        </figcaption>
      ) : (
        <button type="button" class="enlarge" data-action="enlarge" aria-label={t("review.view.enlarge", { unit: track.unitName })} onClick={() => playback.enlarge(id)}>
          <span class="ell">{track.unitName}</span>
        </button>
      )}
      {large && filmed && (
        <button
          type="button"
          class="snd"
          data-action="listen"
          aria-pressed={audible}
          aria-label={t("review.view.listen", { unit: track.unitName })}
          title={t("review.view.listen", { unit: track.unitName })}
          onClick={() => playback.listenTo(id)}
        >
          <Icon name={audible ? "vol" : "mute"} />
        </button>
      )}
    </figure>
  );
}
