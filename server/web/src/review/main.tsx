/** The page of a bilateral review: both sides' pictures in step on the left, what people say of the lesson on the right. */
import "./review.css";
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import type { ReviewView } from "../generated/api";
import { get } from "../ui/api";
import { Button, Failure, KindChip, Note, Skeleton, Stale, StateChip, Tabs } from "../ui/components";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import { mount } from "../ui/mount";
import { label } from "../ui/names";
import { useResource } from "../ui/resource";
import { useShown } from "../ui/shown";
import { countyTime, dateTime, now, shortDate } from "../ui/time";
import { Frame } from "../ui/top";
import { keysOn, switchKeys, useKeys } from "../classroom/keys";
import { BoardTab } from "./board-tab";
import { Comments } from "./comments";
import { Conclusions } from "./conclusion";
import { Playback, RATES } from "./playback";
import { ReleaseChip } from "./release";
import { Rubric } from "./rubric";
import { differs, masked } from "./shown";
import { Stage } from "./stage";
import { pointsOf, Timeline } from "./timeline";
import { Viewings } from "./viewings";
import { lessonTime, unitName } from "./words";

type Tab = "board" | "comments" | "rubric" | "closing" | "log";

const review = decodeURIComponent(location.pathname.split("/").filter(Boolean).pop() ?? "");
/** A recording that still grows is looked at again this often, seconds. */
const GROWING_EVERY = 5;
const JUMP = 5;
/** So many schools are named in the heading, those that have written and those that have not; the rest are counted. */
const NAMED = 2;

function ReviewPage() {
  const [growing, setGrowing] = useState(false);
  const loaded = useResource(`review/${review}`, (abort) => get<ReviewView>(`/api/reviews/${encodeURIComponent(review)}`, abort), growing ? GROWING_EVERY : undefined);
  const [playback, setPlayback] = useState<Playback | null>(null);
  const shown = useShown(review);
  const view = useMemo(() => loaded.data && masked(loaded.data, shown), [loaded.data, shown]);
  useEffect(() => {
    if (loaded.data !== undefined && shown !== null && differs(loaded.data, shown)) loaded.reload();
  }, [shown]);
  useEffect(() => {
    if (view === undefined) return;
    setGrowing(view.recording);
    if (playback) playback.update(view);
    else {
      const fresh = new Playback(view, loaded.reload);
      fresh.start();
      setPlayback(fresh);
    }
  }, [view]);
  return (
    <Frame here="reviews">
      {view && playback ? (
        <>
          <Loaded view={view} playback={playback} changed={loaded.set} reload={loaded.reload} />
          {loaded.error !== undefined && (
            <div class="stale">
              <Stale at={loaded.at} error={loaded.error} retry={loaded.reload} />
            </div>
          )}
        </>
      ) : loaded.error !== undefined ? (
        <div class="sheet-page">
          <Failure error={loaded.error} retry={loaded.reload} />
        </div>
      ) : (
        loaded.slow && (
          <div class="sheet-page">
            <Skeleton lines={8} />
          </div>
        )
      )}
    </Frame>
  );
}

interface LoadedProps {
  view: ReviewView;
  playback: Playback;
  changed: (view: ReviewView) => void;
  reload: () => void;
}

function Loaded({ view, playback, changed, reload }: LoadedProps) {
  const [tab, setTab] = useState<Tab>("comments");
  const [selected, setSelected] = useState<string | null>(null);
  const [compose, setCompose] = useState(0);
  const write = useCallback(() => {
    setTab("comments");
    setCompose((n) => n + 1);
  }, []);
  const openAccess = () => {
    setTab("log");
    // on a phone it stands far below
    document.querySelector(".side-panel")?.scrollIntoView({ block: "nearest" });
  };
  const select = (id: string) => {
    setTab("comments");
    setSelected(id);
    const at = view.comments.find((comment) => comment.id === id)?.at;
    if (at != null) playback.seek(at);
  };
  const hop = (direction: 1 | -1) => {
    const here = playback.moment.value.position;
    const points = pointsOf(view);
    const target = direction === 1 ? points.find((at) => at > here + 0.3) : points.reverse().find((at) => at < here - 0.8);
    if (target !== undefined) playback.seek(target);
  };
  useKeys((key) => {
    if (key === " " || key === "k") playback.toggle();
    else if (key === "j") playback.step(-JUMP);
    else if (key === "l") playback.step(JUMP);
    else if (key === ",") hop(-1);
    else if (key === ".") hop(1);
    else if (key === "c" && view.may.includes("comment")) write();
    else return false;
    return true;
  });
  return (
    <div class="review" data-review={view.row.id} data-state={view.row.state} data-recording={view.recording} data-watching={view.watching}>
      <Heading view={view} openAccess={openAccess} />
      <main>
        {playback.unplayable.value !== null && <Note tone="bad">{t("review.unplayable", { mime: playback.unplayable.value })}</Note>}
        {view.deletedAt != null && <Note tone="info">{t("release.deleted", { date: dateTime(view.deletedAt) })}</Note>}
        {view.views.length > 0 && <Stage view={view} playback={playback} />}
        <Controls view={view} playback={playback} hop={hop} write={write} />
        <Timeline view={view} playback={playback} selected={selected} select={select} />
      </main>
      <aside class="side-panel">
        <Tabs
          label={t("review.tabs")}
          value={tab}
          onChange={setTab}
          choices={[
            { value: "comments", label: `${t("review.tab.comments")} ${view.comments.length}` },
            { value: "board", label: t("review.tab.board") },
            { value: "rubric", label: t("review.tab.rubric") },
            { value: "closing", label: t("review.tab.closing"), count: view.row.state === "closed" || view.row.missing.length === 0 ? undefined : view.row.missing.length },
            { value: "log", label: t("review.tab.log") },
          ]}
        />
        {tab === "comments" && <Comments view={view} playback={playback} selected={selected} select={select} changed={changed} compose={compose} />}
        {tab === "board" && <BoardTab view={view} playback={playback} />}
        {tab === "rubric" && <Rubric view={view} changed={changed} />}
        {tab === "closing" && <Conclusions view={view} changed={changed} reload={reload} />}
        {tab === "log" && <Viewings view={view} changed={changed} reload={reload} />}
      </aside>
    </div>
  );
}

function Heading({ view, openAccess }: { view: ReviewView; openAccess: () => void }) {
  const { row } = view;
  const days = Math.ceil((row.dueAt - now()) / 86_400);
  return (
    <div class="rh">
      <h1 class="ell">{label(row.title)}</h1>
      <KindChip kind="sync" />
      {row.rehearsal && <span class="chip">{t("classroom.rehearsal")}</span>}
      <span class="dim sm nw">{dateTime(row.heldAt)}</span>
      <span class="grow" />
      <ReleaseChip scope={row.scope} open={openAccess} />
      <a class="btn s quiet" data-action="report" href={`/report/${encodeURIComponent(row.session)}`}>
        {t("report.open")}
      </a>
      {view.recording && (
        <span class="st bad" role="status">
          <i class="live-dot" />
          {t("review.growing")}
        </span>
      )}
      {row.written.slice(0, NAMED).map((unit) => (
        <StateChip key={unit} tone="agreed" icon="check">
          {t("review.unit_written", { unit: unitName(view, unit) })}
        </StateChip>
      ))}
      {row.written.length > NAMED && (
        <StateChip tone="agreed" icon="check">
          {t("review.units_written", { n: row.written.length - NAMED })}
        </StateChip>
      )}
      {row.missing.slice(0, NAMED).map((unit) => (
        <StateChip key={unit} tone="silent" icon="dots">
          {t("review.unit_missing", { unit: unitName(view, unit) })}
        </StateChip>
      ))}
      {row.missing.length > NAMED && <StateChip tone="silent">{t("review.units_missing", { n: row.missing.length - NAMED })}</StateChip>}
      {row.state === "closed" ? (
        <StateChip tone="published" icon="lock">
          {t("review.state.closed")}
        </StateChip>
      ) : (
        <StateChip tone={row.overdue ? "bad" : "warn"} icon="clock">
          {row.overdue ? t("review.overdue", { due: shortDate(countyTime(row.dueAt).date) }) : t("review.days_left", { n: Math.max(0, days) })}
        </StateChip>
      )}
    </div>
  );
}

interface ControlsProps {
  view: ReviewView;
  playback: Playback;
  hop: (direction: 1 | -1) => void;
  write: () => void;
}

function Controls({ view, playback, hop, write }: ControlsProps) {
  const { position, playing, waiting, base, spread } = playback.moment.value;
  const faster = () => playback.setRate(RATES[(RATES.indexOf(base) + 1) % RATES.length] ?? 1);
  return (
    <section class="ctl" data-playing={playing} data-position={position.toFixed(2)} data-spread={spread ?? ""}>
      <Button icon="left" action="previous-point" label={t("review.act.previous")} onClick={() => hop(-1)} />
      <Button kind="pri" icon={playing ? "pause" : "play"} action="play" label={t(playing ? "review.act.pause" : "review.act.play")} onClick={() => playback.toggle()} />
      <Button icon="right" action="next-point" label={t("review.act.next")} onClick={() => hop(1)} />
      <b class="tm">
        {lessonTime(position)} <span class="dim">/ {lessonTime(view.duration)}</span>
      </b>
      <Button small action="rate" onClick={faster}>
        {`${base}×`}
      </Button>
      {playing && waiting ? (
        <span class="st warn" role="status">
          <Icon name="load" size="sm" spin />
          {t("review.waiting")}
        </span>
      ) : (
        playing &&
        spread !== null && (
          <span class={`st ${spread <= 80 ? "ok" : "warn"}`}>
            <Icon name="sync" size="sm" />
            {t(spread <= 80 ? "review.in_sync" : "review.syncing", { ms: spread })}
          </span>
        )
      )}
      <span class="grow" />
      <button type="button" class="btn s quiet" aria-pressed={keysOn.value} onClick={() => switchKeys(!keysOn.value)}>
        {t(keysOn.value ? "classroom.keys.on" : "classroom.keys.off")}
      </button>
      {view.may.includes("comment") && (
        <Button small kind="pri" icon="plus" action="compose" onClick={write}>
          {t("review.act.comment_at", { time: lessonTime(position) })}
        </Button>
      )}
    </section>
  );
}

void mount(ReviewPage, "review.title");
