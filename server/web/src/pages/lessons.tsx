/** The live sessions of a day: which are on, which come, and the way in. */

import "./lists.css";

import { useState } from "preact/hooks";
import type { SessionRow } from "../generated/api";
import { get } from "../ui/api";
import { Button, KindChip, LinkButton, LiveDot, Segmented, StateChip } from "../ui/components";
import { t } from "../ui/i18n";
import { Listing } from "../ui/listing";
import { mount } from "../ui/mount";
import { label } from "../ui/names";
import { useResource } from "../ui/resource";
import { community } from "../ui/session";
import { addDays, clockAt, countyTime, longDate, now } from "../ui/time";
import { Frame } from "../ui/top";

const REFRESH_SECONDS = 15;
const ENTERABLE = new Set<SessionRow["state"]>(["open", "live", "overrun"]);
const TONES: Record<SessionRow["state"], string> = { scheduled: "", open: "ok", live: "published", overrun: "warn", ended: "" };

type Scope = "community" | "mine";

function askedDate(): string {
  const asked = new URLSearchParams(location.search).get("date") ?? "";
  return /^\d{4}-\d{2}-\d{2}$/.test(asked) ? asked : countyTime(now()).date;
}

function LessonsPage() {
  const [date, setDate] = useState(askedDate);
  const [scope, setScope] = useState<Scope>("community");
  const here = community.value;
  const path = here && `/api/sessions?date=${date}&community=${encodeURIComponent(here.id)}`;
  const listed = useResource<SessionRow[]>(path, (signal) => get(path ?? "", signal), REFRESH_SECONDS);
  const today = countyTime(now()).date;
  const show = (next: string) => {
    setDate(next);
    const address = new URL(location.href);
    address.searchParams.set("date", next);
    history.replaceState(null, "", address);
  };
  const rows = (listed.data ?? []).filter((row) => scope === "community" || row.role !== null);
  return (
    <Frame here="lessons">
      <main class="sheet-page">
        <div class="page-head">
          <h1>{t("lessons.title")}</h1>
          <span class="mut">{longDate(date)}</span>
        </div>
        <div class="list-tools">
          <div class="row">
            <Button small icon="left" label={t("lessons.day_before")} onClick={() => show(addDays(date, -1))} />
            <Button small icon="right" label={t("lessons.day_after")} onClick={() => show(addDays(date, 1))} />
            {date !== today && (
              <Button small kind="quiet" onClick={() => show(today)}>
                {t("lessons.today")}
              </Button>
            )}
          </div>
          <Segmented<Scope>
            label={t("lessons.scope")}
            value={scope}
            choices={[
              { value: "community", label: t("lessons.scope_community") },
              { value: "mine", label: t("lessons.scope_mine") },
            ]}
            onChange={setScope}
          />
        </div>
        <Listing
          resource={listed}
          rows={rows}
          lines={8}
          head={[t("lessons.time"), t("lessons.lesson"), t("lessons.host"), t("lessons.state"), t("lessons.mine"), ""]}
          empty={t("lessons.none")}
          row={(row) => (
            <Row key={row.id} row={row} />
          )}
        />
      </main>
    </Frame>
  );
}

/** Its time is over, and nobody has opened it. */
function passed(row: SessionRow): boolean {
  return row.state === "scheduled" && row.ends < now();
}

function Row({ row }: { row: SessionRow }) {
  const live = row.state === "live" || row.state === "overrun";
  return (
    <tr data-session={row.id} data-state={row.state}>
      <td class="time">
        {clockAt(row.starts)}
        {!row.rehearsal && `–${clockAt(row.ends)}`}
      </td>
      <td class="wide">
        <div class="chips">
          <b>
            <a href={`/lesson/${encodeURIComponent(row.id)}`}>{label(row.title)}</a>
          </b>
          <KindChip kind={row.kind} />
          {row.rehearsal && <StateChip tone="changed">{t("lessons.rehearsal")}</StateChip>}
        </div>
      </td>
      <td>
        {row.hostUnitName} <span class="dim sm nw">{t("lessons.schools", { count: row.units.length })}</span>
      </td>
      <td>
        <span class={`st ${TONES[row.state]}`}>
          {live && <LiveDot />}
          {t(`session.${passed(row) ? "passed" : row.state}`)}
        </span>
      </td>
      <td class="mut">{row.role && t(`live_role.${row.role}`)}</td>
      <td class="act">
        <Enter row={row} />
      </td>
    </tr>
  );
}

/** The way in while the doors are open; afterwards, the review. */
function Enter({ row }: { row: SessionRow }) {
  if (ENTERABLE.has(row.state) && row.role !== null) {
    const watching = row.role === "observer" || row.role === "patrol";
    return (
      <LinkButton small kind={watching ? undefined : "pri"} icon={watching ? "eye" : "cam"} action="join" href={`/classroom/${row.id}?as=${row.role}`}>
        {t(watching ? "lessons.observe" : "lessons.enter")}
      </LinkButton>
    );
  }
  if (row.state === "ended") {
    return (
      <span class="row">
        <LinkButton small icon="doc" action="report" href={`/report/${encodeURIComponent(row.id)}`}>
          {t("report.open")}
        </LinkButton>
        {row.review !== null && (
          <LinkButton small icon="joint" href={`/review/${row.review}`}>
            {t("lessons.review")}
          </LinkButton>
        )}
      </span>
    );
  }
  return row.state === "scheduled" && !passed(row) && row.role !== null ? <span class="dim sm nw">{t("lessons.opens")}</span> : null;
}

void mount(LessonsPage, "lessons.title");
