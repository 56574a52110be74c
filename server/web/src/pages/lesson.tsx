/** One lesson on its day: when and where it takes place, its materials, and the way in. */
import "./lists.css";

import { useState } from "preact/hooks";
import { AccessDialog } from "../classroom/access";
import type { SessionRow } from "../generated/api";
import { MaterialsManager } from "../materials/manager";
import { get } from "../ui/api";
import { Button, Failure, KindChip, LinkButton, Skeleton } from "../ui/components";
import { t } from "../ui/i18n";
import { mount } from "../ui/mount";
import { label } from "../ui/names";
import { useResource } from "../ui/resource";
import { clockAt, countyTime, longDate } from "../ui/time";
import { Frame } from "../ui/top";
import { isNowhere, WaysOn } from "../ui/ways-on";

/** `/lesson/{session}`. */
const session = decodeURIComponent(location.pathname.split("/").filter(Boolean).pop() ?? "");
const REFRESH_SECONDS = 30;
const ENTERABLE = new Set<SessionRow["state"]>(["open", "live", "overrun"]);

function LessonPage() {
  const path = `/api/sessions/${encodeURIComponent(session)}`;
  const { data, error, slow, reload } = useResource<SessionRow>(path, (signal) => get(path, signal), REFRESH_SECONDS);
  const [giving, give] = useState(false);
  return (
    <Frame here="lessons">
      <main class="sheet-page">
        <Failure error={error} retry={isNowhere(error) ? undefined : reload} />
        {isNowhere(error) && data === undefined && <WaysOn session={session} />}
        {slow && <Skeleton lines={6} />}
        {data !== undefined && (
          <>
            <div class="page-head" data-session={data.id} data-state={data.state}>
              <h1>{label(data.title)}</h1>
              <KindChip kind={data.kind} />
              <span class="mut">
                {longDate(countyTime(data.starts).date)} {clockAt(data.starts)}
                {!data.rehearsal && `–${clockAt(data.ends)}`} · {data.hostUnitName}
              </span>
              <span class="grow" />
              {data.role === "host" && data.state !== "ended" && (
                <Button icon="link" action="open-access" onClick={() => give(true)}>
                  {t("access.open")}
                </Button>
              )}
              {ENTERABLE.has(data.state) && data.role !== null && (
                <LinkButton kind="pri" icon="cam" action="join" href={`/classroom/${data.id}?as=${data.role}`}>
                  {t("lessons.enter")}
                </LinkButton>
              )}
            </div>
            {data.state === "ended" && <WaysOn session={session} />}
            <section class="card box">
              <h2>{t("materials.title")}</h2>
              {data.role === null ? <p class="mut">{t("materials.not_yours")}</p> : <MaterialsManager session={session} />}
            </section>
            {giving && <AccessDialog session={session} close={() => give(false)} />}
          </>
        )}
      </main>
    </Frame>
  );
}

void mount(LessonPage, "lesson.title");
