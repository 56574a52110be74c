/** Where to go from a lesson that is over, or that there is none of: its review and report, the next lesson, the table. */
import type { SessionRow } from "../generated/api";
import { get, Problem } from "./api";
import { LinkButton } from "./components";
import { t } from "./i18n";
import { label } from "./names";
import { useResource } from "./resource";
import { clockAt, now } from "./time";

const DOORS_OPEN = new Set<SessionRow["state"]>(["open", "live", "overrun"]);

/** Whether a request failed because there is nothing at this address: trying again brings nothing. */
export function isNowhere(error: unknown): boolean {
  return error instanceof Problem && error.status === 404;
}

/** `session`: the one that is left behind, by its id as the address has it. */
export function WaysOn({ session }: { session: string }) {
  const path = `/api/sessions/${encodeURIComponent(session)}`;
  const own = useResource<SessionRow>(path, (signal) => get(path, signal));
  const today = useResource<SessionRow[]>("/api/sessions", (signal) => get("/api/sessions", signal));
  const over = own.data?.state === "ended" ? own.data : undefined;
  const next = today.data?.find((row) => row.id !== session && row.role !== null && row.state !== "ended" && row.ends > now());
  return (
    <div class="row ways-on" data-ways>
      {over?.review && (
        <LinkButton kind="pri" icon="joint" action="open-review" href={`/review/${encodeURIComponent(over.review)}`}>
          {t("ways.review")}
        </LinkButton>
      )}
      {over && (
        <LinkButton icon="doc" action="report" href={`/report/${encodeURIComponent(session)}`}>
          {t("report.open")}
        </LinkButton>
      )}
      {next && (
        <LinkButton icon="cam" action="next-lesson" href={DOORS_OPEN.has(next.state) ? `/classroom/${encodeURIComponent(next.id)}?as=${next.role}` : `/lesson/${encodeURIComponent(next.id)}`}>
          {t(DOORS_OPEN.has(next.state) ? "ways.now" : "ways.next", { title: label(next.title), time: clockAt(next.starts) })}
        </LinkButton>
      )}
      <LinkButton href="/lessons">{t("ways.lessons")}</LinkButton>
      <LinkButton href="/timetable">{t("nav.timetable")}</LinkButton>
    </div>
  );
}
