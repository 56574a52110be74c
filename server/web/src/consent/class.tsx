/** One class: whether it agrees to be recorded, what withdrawing hides and what not, and what brings it back. */

import { useState } from "preact/hooks";
import type { ClassConsent, ConsentLesson, NewConsent } from "../generated/api";
import { get, Problem, put } from "../ui/api";
import { Button, Failure, Note, Skeleton, StateChip, useAction } from "../ui/components";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import { label } from "../ui/names";
import { useResource } from "../ui/resource";
import { countyTime, dateTime, longDate } from "../ui/time";
import { ConsentState } from "./state";
import { Words } from "./words";

const GOES = ["film", "work", "board", "now", "next"];
const STAYS = ["counts", "words", "others", "files", "copies"];

export function OneClass({ id }: { id: string }) {
  const path = `/api/consents/${encodeURIComponent(id)}`;
  const { data, error, slow, set, reload } = useResource<ClassConsent>(path, (signal) => get(path, signal));
  return (
    <>
      <p>
        <a class="link" href="/consents">
          <Icon name="left" size="sm" />
          {t("consents.back")}
        </a>
      </p>
      {data === undefined ? (
        <>
          <Failure error={error} retry={reload} />
          {slow && <Skeleton lines={8} />}
        </>
      ) : (
        <Loaded consent={data} path={path} changed={set} reload={reload} />
      )}
    </>
  );
}

interface LoadedProps {
  consent: ClassConsent;
  path: string;
  changed: (consent: ClassConsent) => void;
  reload: () => void;
}

function Loaded({ consent, path, changed, reload }: LoadedProps) {
  const { row, lessons } = consent;
  return (
    <div class="consent" data-class={row.id} data-agreed={row.agreed}>
      <div class="page-head">
        <h1>{label(row.className)}</h1>
        <span class="mut">{row.unitName}</span>
        {row.left && <StateChip tone="silent">{t("consents.left")}</StateChip>}
        <ConsentState row={row} />
      </div>
      {row.left && row.agreed && <Note tone="info">{t("consents.left_note")}</Note>}
      {row.agreed ? <Withdraw {...{ consent, path, changed, reload }} /> : <Withdrawn {...{ consent, path, changed, reload }} />}
      {!row.agreed && <Words path={path} />}
      {!row.agreed && <Agree {...{ consent, path, changed, reload }} />}
      {lessons.length > 0 && (
        <section class="card box">
          <h2>{t("consents.lessons")}</h2>
          <ul class="lg">
            {lessons.map((lesson) => (
              <Lesson key={lesson.review} lesson={lesson} now={row.className} />
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

function Withdraw({ consent: { row }, path, changed, reload }: LoadedProps) {
  return (
    <section class="card box">
      <p>{row.recordings > 0 ? t("consents.seen", { n: row.recordings }) : t("consents.seen_none")}</p>
      {row.said !== null && <p class="sm mut">{t("consents.said.agreed", { name: row.said.name, time: dateTime(row.said.at) })}</p>}
      <div class="two">
        <div>
          <h2>{t("consents.goes")}</h2>
          <ul class="goes">
            {GOES.map((what) => (
              <li key={what}>
                <Icon name="x" size="sm" />
                <span>{t(`consents.goes.${what}`)}</span>
              </li>
            ))}
          </ul>
        </div>
        <div>
          <h2>{t("consents.stays")}</h2>
          <ul class="goes stays">
            {STAYS.map((what) => (
              <li key={what}>
                <Icon name="info" size="sm" />
                <span>{t(`consents.stays.${what}`)}</span>
              </li>
            ))}
          </ul>
        </div>
      </div>
      <Decide action="withdraw" kind="bad" asked={t("consents.withdraw")} sure={t("consents.confirm_withdraw")} final={t("consents.final")} body={{ agreed: false, revision: row.revision }} {...{ path, changed, reload }} />
    </section>
  );
}

function Withdrawn({ consent: { row } }: LoadedProps) {
  const said = row.said !== null && !row.said.agreed ? t("consents.said.withdrawn", { name: row.said.name, time: dateTime(row.said.at) }) : t("consents.said.register");
  return <Note tone="ok">{said}</Note>;
}

function Agree({ consent: { row }, path, changed, reload }: LoadedProps) {
  return (
    <section class="card box">
      <h2>{t("consents.agree")}</h2>
      <Decide action="agree-anew" asked={t("consents.agree")} sure={t("consents.confirm_agree")} final={t("consents.agree.lead")} body={{ agreed: true, revision: row.revision }} {...{ path, changed, reload }} />
    </section>
  );
}

interface DecideProps {
  action: string;
  kind?: "bad";
  asked: string;
  sure: string;
  /** What it means, beside the button that does it. */
  final: string;
  body: NewConsent;
  path: string;
  changed: (consent: ClassConsent) => void;
  reload: () => void;
}

/** Two presses, the second beside the sentence that says what it does: it is pressed on a phone at night. */
function Decide({ action, kind, asked, sure, final, body, path, changed, reload }: DecideProps) {
  const [asking, setAsking] = useState(false);
  const doing = useAction();
  const stale = doing.error instanceof Problem && doing.error.status === 409;
  return (
    <div class="decide">
      <p class="sm">{final}</p>
      <Failure error={doing.error} retry={stale ? reload : undefined} />
      {asking ? (
        <div class="row">
          <Button kind={kind ?? "pri"} action={`confirm-${action}`} busy={doing.busy} onClick={() => doing.run(async () => changed(await put<ClassConsent>(path, body)))}>
            {sure}
          </Button>
          <Button kind="quiet" onClick={() => setAsking(false)}>
            {t("act.cancel")}
          </Button>
        </div>
      ) : (
        <Button action={action} onClick={() => setAsking(true)}>
          {`${asked}…`}
        </Button>
      )}
    </div>
  );
}

function Lesson({ lesson, now }: { lesson: ConsentLesson; now: string }) {
  const was = lesson.className !== now ? ` · ${label(lesson.className)}` : "";
  return (
    <li class="row" data-review={lesson.review}>
      <span class="grow">
        <a class="link" href={`/review/${encodeURIComponent(lesson.review)}`}>
          {label(lesson.title)}
        </a>
        <span class="sm mut">
          {" "}
          {dateTime(lesson.heldAt)}
          {was}
          {lesson.rehearsal && ` · ${t("classroom.rehearsal")}`}
        </span>
      </span>
      <span class="sm dim">
        {lesson.deleted ? t("consents.lesson.deleted") : lesson.keptUntil !== null && t("consents.lesson.kept", { date: longDate(countyTime(lesson.keptUntil).date) })}
      </span>
    </li>
  );
}
