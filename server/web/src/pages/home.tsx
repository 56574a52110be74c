/** Today: what waits for me, what is on, and how the year goes. */

import "../home/home.css";

import type { TodayView } from "../generated/api";
import { Needs } from "../home/needs";
import { Live, NextLesson, Quota } from "../home/side";
import { Strip } from "../home/strip";
import { get } from "../ui/api";
import { Empty, Failure, LinkButton, Skeleton, Stale } from "../ui/components";
import { t } from "../ui/i18n";
import { mount } from "../ui/mount";
import { type Resource, useResource } from "../ui/resource";
import { community } from "../ui/session";
import { longDate, weekLabel } from "../ui/time";
import { Frame } from "../ui/top";

const REFRESH_SECONDS = 20;

function HomePage() {
  const here = community.value;
  const path = here && `/api/today?community=${encodeURIComponent(here.id)}`;
  const today = useResource<TodayView>(path, (signal) => get(path ?? "", signal), REFRESH_SECONDS);
  return (
    <Frame here="today" count={today.data?.needs.length}>
      {here === null ? <Empty>{t("home.no_community")}</Empty> : <Home {...today} />}
    </Frame>
  );
}

function Home({ data: today, error, slow, at, reload }: Resource<TodayView>) {
  if (today === undefined) {
    return (
      <div class="sheet-page">
        <Failure error={error} retry={reload} />
        {slow && <Skeleton lines={9} />}
      </div>
    );
  }
  const urgent = today.needs.filter((need) => need.severity === "bad").length;
  const live = today.lessons.filter((lesson) => lesson.state === "live" || lesson.state === "overrun").length;
  return (
    <main class="home">
      <div class="hi">
        <h1>{longDate(today.date)}</h1>
        <span class="mut">
          {today.term.today < today.term.weekOne ? t("home.before_term", { date: longDate(today.term.weekOne) }) : weekLabel(today.term.week)}
          {today.term.provisional && ` · ${t("today.provisional")}`}
          {urgent > 0 && ` · ${t("today.urgent", { count: urgent })}`}
        </span>
        <Stale at={at} error={error} retry={reload} />
      </div>
      <Needs needs={today.needs} />
      <section class="card day" style={{ "--strip-height": `${72 + Math.max(6, today.units.length) * 34}px` }}>
        <div class="row hd">
          <h2>{t("today.shared")}</h2>
          <span class="dim sm nw">
            {t("today.count", { count: today.lessons.length })}
            {live > 0 && ` · ${t("today.live", { count: live })}`}
          </span>
          <span class="grow" />
          <LinkButton small kind="quiet" href={`/timetable?view=day&day=${today.weekday}`}>
            {t("today.open_timetable")}
          </LinkButton>
        </div>
        {today.lessons.length === 0 ? <Empty>{t("today.none")}</Empty> : <Strip today={today} />}
      </section>
      <aside class="home-side">
        {today.live.length > 0 ? today.live.map((one) => <Live live={one} key={one.session} />) : <NextLesson today={today} />}
        <Quota today={today} />
      </aside>
    </main>
  );
}

void mount(HomePage, "nav.today");
