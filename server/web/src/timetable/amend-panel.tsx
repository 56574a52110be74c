/** What can be asked for about a published lesson, and the changes of it that were asked for. */

import { useState } from "preact/hooks";
import type { AmendmentView, Lesson } from "../generated/api";
import { Button } from "../ui/components";
import { t } from "../ui/i18n";
import { later } from "../ui/later";
import type { Resource } from "../ui/resource";
import { speaks } from "../ui/session";
import { longDate } from "../ui/time";
import type { Amending } from "./amend-form";
import { AmendmentList } from "./amendments";
import type { Table } from "./table";
import { heldIn } from "./turns";

const MOST_SHOWN = 3;

const AmendForm = later(() => import("./amend-form").then((module) => module.AmendForm));
const Cover = later(() => import("./cover").then((module) => module.Cover));

export interface AmendPanelProps {
  table: Table;
  lesson: Lesson;
  week: number;
  amendments: Resource<AmendmentView[]>;
}

export function AmendPanel({ table, lesson, week, amendments }: AmendPanelProps) {
  const [open, setOpen] = useState<Amending | "substitute" | null>(null);
  const { date } = table.occurrence(lesson, week);
  const state = table.state(lesson);
  const lost = state === "cancelled";
  const held = table.mark(lesson) !== undefined || heldIn(lesson, week);
  const coming = held && table.toCome(lesson, week);
  const absent = coverable(table, lesson);
  const close = () => setOpen(null);
  const own = (amendments.data ?? []).filter((one) => one.lines.some((line) => line.lesson === table.origin(lesson)));
  return (
    <>
      <AmendmentList table={table} amendments={own} onChange={amendments.reload} most={MOST_SHOWN} />
      {table.amendable && (
        <div>
          <h3 class="h costs-head">{held ? t("amending.change_on", { date: longDate(date) }) : t("amending.change")}</h3>
          {lost ? (
            <div class="amend-acts">
              <Button small kind="pri" icon="plus" action="make-up" onClick={() => setOpen("make_up")}>
                {t("amend.kind.make_up")}
              </Button>
            </div>
          ) : coming ? (
            <div class="amend-acts">
              <Button small icon="swap" action="move-lesson" onClick={() => setOpen("move")}>
                {t("amend.kind.move")}
              </Button>
              <Button small icon="sync" action="swap" onClick={() => setOpen("swap")}>
                {t("amend.kind.swap")}
              </Button>
              {absent.length > 0 && (
                <Button small icon="users" action="substitute" onClick={() => setOpen("substitute")}>
                  {t("amend.kind.substitute")}
                </Button>
              )}
              <Button small icon="ban" action="cancel-lesson" onClick={() => setOpen("cancel")}>
                {t("amend.kind.cancel")}
              </Button>
            </div>
          ) : (
            <p class="sm mut" data-past>
              {t(!held ? "amending.not_that_week" : date === table.view.term.today ? "amending.begun" : "amending.past")}
            </p>
          )}
        </div>
      )}
      {open === "substitute" && <Cover table={table} teachers={absent} date={date} onClose={close} onAsked={amendments.reload} />}
      {open !== null && open !== "substitute" && (
        <AmendForm
          key={table.occurrence(lesson, week).id}
          table={table}
          lesson={lesson}
          week={week}
          what={open}
          onClose={close}
          onAsked={() => {
            close();
            amendments.reload();
          }}
        />
      )}
    </>
  );
}

/** The teachers of the lesson for whom the person may look for cover: those of their own school. */
function coverable(table: Table, lesson: Lesson): string[] {
  const own = lesson.parties.filter((party) => speaks([party.unit], table.view.community.id));
  return [...new Set(own.flatMap((party) => party.teachers ?? []))];
}
