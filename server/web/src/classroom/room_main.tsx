/** The page of a paired panel: pairing, the idle day, and lessons that it joins and leaves by itself. */
import "./gate.css";
import "./panel.css";
import "./devices.css";
import "./exercise.css";
import "./chat.css";
import type { FunctionComponent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { RoomDay, RoomLesson } from "../generated/api";
import { explain, get, Problem } from "../ui/api";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import { mount } from "../ui/mount";
import { Classroom } from "./classroom";
import { CHECK_BEFORE, DayPage } from "./day";
import { takeNewBuild } from "./new-build";
import { PairingPage } from "./pairing";
import type { PanelProps } from "./panel";
import { countFrames } from "./parts";
import { steadyNow } from "./steady";
import { WallButton } from "./wall-button";

const REFRESH_EVERY = 15_000;
const STAY_AFTER_END = 8_000;
const OLD_AFTER = 45;
/** So soon after its start a panel that reached nobody asks again: its machine is up before its school's line. */
const FIRST_RETRY = 3_000;
const LOOK_FOR_BUILD_EVERY = 60_000;
/** Seconds before a lesson's doors open in which a panel is left as it is. */
const SETTLED_BEFORE = 120;

interface Known {
  day: RoomDay;
  at: number;
}

type LessonScreen = FunctionComponent<PanelProps>;
const LOAD_AGAIN = 3_000;

/** The screen of a lesson, fetched once the idle one is painted: it is there long before the bell. */
function useLessonScreen(): LessonScreen | null {
  const [loaded, setLoaded] = useState<{ Screen: LessonScreen } | null>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let wanted = true;
    import("./panel").then(
      (module) => wanted && setLoaded({ Screen: module.PanelPage }),
      // where the server has another build by now, the file of this one is gone for good
      () => setTimeout(() => wanted && void takeNewBuild(() => true).then((taken) => !taken && wanted && setAttempt(attempt + 1)), LOAD_AGAIN),
    );
    return () => {
      wanted = false;
    };
  }, [attempt]);
  return loaded?.Screen ?? null;
}

function RoomPage() {
  const [known, setKnown] = useState<Known | null>(null);
  const [unpaired, setUnpaired] = useState(false);
  const [error, setError] = useState<unknown>();
  const [classroom, setClassroom] = useState<Classroom | null>(null);
  const PanelPage = useLessonScreen();
  const current = useRef<Classroom | null>(null);
  /** Sessions that closed on this panel: another tab took over, or the server refused. */
  const closed = useRef(new Set<string>());
  /** Somebody stands before the panel, or it tries its devices. */
  const used = useRef(false);
  const newest = useRef<Known | null>(null);

  const enter = (session: string) => {
    const fresh = new Classroom(session);
    current.current = fresh;
    setClassroom(fresh);
    fresh.start();
  };
  /** Whether nobody misses this page for the seconds of a reload. */
  const atRest = () => {
    if (current.current !== null || used.current || newest.current === null) return false;
    const { day, at } = newest.current;
    const now = day.serverTime + steadyNow() - at;
    const opens = (lesson: RoomLesson) => lesson.starts - CHECK_BEFORE - now;
    return day.join === null && !day.lessons.some((lesson) => !lesson.cancelled && opens(lesson) > 0 && opens(lesson) < SETTLED_BEFORE);
  };
  const refresh = async () => {
    try {
      const day = await get<RoomDay>("/api/room/day");
      newest.current = { day, at: steadyNow() };
      setKnown(newest.current);
      setUnpaired(false);
      setError(undefined);
      if (day.join === null || closed.current.has(day.join)) return;
      const last = current.current;
      if (last === null) enter(day.join);
      else if (last.session !== day.join && last.room.value?.snapshot.state === "overrun") {
        // its next lesson has begun while the last one has no end
        enter(day.join);
        void last.leave();
      }
    } catch (problem) {
      if (problem instanceof Problem && (problem.status === 401 || problem.status === 403)) setUnpaired(true);
      else setError(problem);
    }
  };
  useEffect(() => {
    void refresh();
    const timer = setInterval(() => void refresh(), REFRESH_EVERY);
    const looking = setInterval(() => void takeNewBuild(atRest), LOOK_FOR_BUILD_EVERY);
    return () => {
      clearInterval(timer);
      clearInterval(looking);
    };
  }, []);
  const unreached = known === null && !unpaired && error !== undefined;
  useEffect(() => {
    if (!unreached) return undefined;
    const timer = setInterval(() => void refresh(), FIRST_RETRY);
    return () => clearInterval(timer);
  }, [unreached]);

  // Be there at the bell, not up to a quarter of a minute later.
  const next = known?.day.lessons.find((lesson) => !lesson.cancelled && lesson.state === "scheduled" && lesson.starts > known.day.serverTime);
  useEffect(() => {
    if (!known || !next) return undefined;
    const opens = [next.starts - CHECK_BEFORE, next.starts].map((moment) => moment - known.day.serverTime).filter((wait) => wait > 0 && wait < 3600);
    const timers = opens.map((wait) => setTimeout(() => void refresh(), wait * 1000 + 300));
    return () => timers.forEach(clearTimeout);
  }, [next?.starts, known?.at]);

  const state = classroom?.room.value?.snapshot.state;
  const phase = classroom?.line.value.phase;
  const over = classroom !== null && (state === "ended" || phase === "closed");
  useEffect(() => {
    if (!over || classroom === null) return undefined;
    const { reason } = classroom.line.value;
    if (phase === "closed" && reason === "replaced") closed.current.add(classroom.session);
    const timer = setTimeout(
      () => {
        classroom.stop();
        current.current = null;
        setClassroom(null);
        // After a refusal the next regular refresh is soon enough.
        if (state === "ended") void refresh();
      },
      state === "ended" ? STAY_AFTER_END : 3_000,
    );
    return () => clearTimeout(timer);
  }, [over]);

  if (unpaired) return <PairingPage paired={() => void refresh()} />;
  if (over && state === "ended") return <Done />;
  if (classroom !== null && classroom.room.value !== null && !over && PanelPage !== null) return <PanelPage classroom={classroom} phone={known?.day.phone} />;
  if (known) return <DayPage day={known.day} at={known.at} stale={error !== undefined && steadyNow() - known.at > OLD_AFTER} hold={(on) => (used.current = on)} />;
  return <Unreached error={error} retry={() => void refresh()} />;
}

function Done() {
  return (
    <div class="panel hush" data-view="over" data-state="ended" role="status">
      <Icon name="check" />
      <b class="w96">{t("classroom.panel.over")}</b>
      <span class="w36 mut">{t("classroom.panel.over_text")}</span>
    </div>
  );
}

function Unreached({ error, retry }: { error: unknown; retry: () => void }) {
  return (
    <div class="panel hush" data-view="starting" role="status">
      <Icon name="load" spin />
      <b class="w64">{error === undefined ? t("classroom.panel.starting") : explain(error)}</b>
      {error !== undefined && (
        <WallButton action="retry" onClick={retry}>
          {t("act.retry")}
        </WallButton>
      )}
    </div>
  );
}

countFrames();
addEventListener("pageshow", (event) => event.persisted && location.reload());
void mount(RoomPage, "classroom.panel.title");
