/** Beside the day: what is live now, and how far the year's quota is. */

import type { LiveNow, LiveRoom, TodayView } from "../generated/api";
import { LinkButton, LiveDot } from "../ui/components";
import { Icon, type IconName, Signal } from "../ui/icons";
import { t } from "../ui/i18n";
import { label } from "../ui/names";
import { holds } from "../ui/session";
import { minutesOf, countyTime, now, shortClock } from "../ui/time";

/** Teaching weeks of a school year, over which the quota is spread. */
const WEEKS_A_YEAR = 35;

const ROOM_STATES: Record<LiveRoom["state"], { tone: string; bars?: number; icon?: IconName }> = {
  connected: { tone: "st-good", bars: 4 },
  weak: { tone: "st-fair", bars: 2 },
  audio_only: { tone: "st-fair", icon: "ear" },
  reconnecting: { tone: "st-lost", icon: "load" },
  offline: { tone: "st-lost", icon: "linkoff" },
};

export function Live({ live }: { live: LiveNow }) {
  const left = Math.max(0, Math.ceil((live.ends - now()) / 60));
  const mayObserve = holds("teacher", "academic_director", "principal", "convenor", "researcher");
  return (
    <section class="card live" data-state="live">
      <div class="row">
        <span class="lv">
          <LiveDot />
          {t(live.rehearsal ? "live.rehearsal" : "live.now")}
        </span>
        <b class="grow ell">{label(live.title)}</b>
        {!live.rehearsal && <span class="sm dim nw">{t("live.left", { minutes: left })}</span>}
      </div>
      <ul class="rm">
        {live.rooms.map((room) => {
          const state = ROOM_STATES[room.state];
          return (
            <li data-room={room.unit} data-state={room.state} key={room.unit}>
              <span class="grow ell">{room.unitName}</span>
              <span class={state.tone}>
                {state.bars !== undefined && <Signal bars={state.bars} />}
                {state.icon && <Icon name={state.icon} size="sm" spin={state.icon === "load"} />}
                {t(`room.${room.state}`)}
              </span>
            </li>
          );
        })}
      </ul>
      {mayObserve && (
        <div class="row">
          <span class="xs dim grow">{t("live.observing_is_logged")}</span>
          <LinkButton small icon="eye" href={`/classroom/${live.session}?as=observer`}>
            {t("live.observe")}
          </LinkButton>
        </div>
      )}
    </section>
  );
}

/** When nothing is live: what comes next today. */
export function NextLesson({ today }: { today: TodayView }) {
  const clock = countyTime(now());
  const next = today.lessons.find((lesson) => lesson.change !== "cancelled" && (today.date > clock.date || minutesOf(lesson.start) > clock.minutes));
  return (
    <section class="card live">
      <p class="mut">{next ? t("live.next", { time: shortClock(next.start), title: label(next.title) }) : t("live.none")}</p>
    </section>
  );
}

export function Quota({ today }: { today: TodayView }) {
  const { term, quotas, units } = today;
  const core = units.find((unit) => unit.core);
  const nameOf = (id: string) => units.find((unit) => unit.id === id)?.shortName ?? id;
  const quota = quotas[0]?.quota ?? 0;
  const pace = Math.ceil((quota * Math.min(term.week, WEEKS_A_YEAR)) / WEEKS_A_YEAR);
  const reviews = today.reviewsOpen + today.reviewsClosed;
  return (
    <section class="card quota">
      <div class="row hd">
        <h2 class="grow">{t("quota.title")}</h2>
      </div>
      {quotas.length > 0 && (
        <>
          <table>
            <thead>
              <tr>
                <th scope="col">{t("quota.with", { unit: core?.shortName ?? "" })}</th>
                <td />
                <th scope="col" class="num">
                  {t("quota.held")}
                </th>
                <th scope="col" class="num">
                  {t("quota.subjects")}
                </th>
              </tr>
            </thead>
            <tbody>
              {quotas.map((pair) => {
                const behind = pair.held < Math.min(pace, pair.planned);
                return (
                  <tr key={pair.unit}>
                    <th scope="row">{nameOf(pair.unit)}</th>
                    <td>
                      <div class="bar" title={t("quota.bar", { held: pair.held, planned: pair.planned, quota: pair.quota })}>
                        <i class={behind ? "lo" : ""} style={{ width: `${Math.min(100, (pair.held / (pair.quota || 1)) * 100)}%` }} />
                        <u style={{ left: `${Math.min(100, (pace / (pair.quota || 1)) * 100)}%` }} />
                      </div>
                    </td>
                    <td class={`num ${behind ? "lo" : ""}`}>
                      {behind && <Icon name="warn" size="sm" label={t("quota.behind")} />}
                      {pair.held}
                      <span class="dim">/{pair.quota}</span>
                    </td>
                    <td class="num">{pair.subjects}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
          <p class="xs dim pace">
            <u />
            {t("quota.pace", { week: term.week, pace, quota, weeks: WEEKS_A_YEAR })}
          </p>
        </>
      )}
      <div class="facts">
        <div>
          <span class="sm mut">{t("facts.online_research")}</span>
          <b>{today.onlineResearch}</b>
        </div>
        <div>
          <span class="sm mut">{t("facts.reviews_open")}</span>
          <b>{today.reviewsOpen}</b>
        </div>
        <div>
          <span class="sm mut">{t("facts.reviews_closed")}</span>
          <b>
            {today.reviewsClosed}
            <span class="dim"> / {reviews}</span>
          </b>
        </div>
      </div>
    </section>
  );
}
