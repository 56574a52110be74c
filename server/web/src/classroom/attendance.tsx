/** Taking attendance on the assistant's phone, seat by seat. */
import { useState } from "preact/hooks";
import type { Participant } from "../generated/live";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import type { Classroom } from "./classroom";
import { Undelivered } from "./parts";
import type { Room } from "./room";
import { classSize, LARGEST_CLASS, rememberSize } from "./seats";

export function Attendance({ classroom, room, own }: { classroom: Classroom; room: Room; own: Participant }) {
  const [size, setSize] = useState(() => classSize(room, own));
  const [absent, setAbsent] = useState<readonly number[]>(own.absent ?? []);
  const [late, setLate] = useState<readonly number[]>(own.late);
  const taken = own.absent !== null && same(own.absent, absent) && same(own.late, late);
  const busy = classroom.line.value.pending.some((command) => command.t === "take_attendance");
  const without = (list: readonly number[], seat: number) => list.filter((s) => s !== seat);
  const tap = (seat: number) => {
    if (absent.includes(seat)) {
      setAbsent(without(absent, seat));
      setLate([...late, seat]);
    } else if (late.includes(seat)) setLate(without(late, seat));
    else setAbsent([...absent, seat]);
  };
  const resize = (to: number) => {
    const next = Math.min(LARGEST_CLASS, Math.max(1, to));
    rememberSize(own, next);
    setSize(next);
    setAbsent(absent.filter((seat) => seat <= next));
    setLate(late.filter((seat) => seat <= next));
  };
  return (
    <main>
      <div class="row sum">
        <span class="grow">
          <b class="n">{size - absent.length}</b>
          <span class="mut">
            {" "}
            / {size} {t("classroom.phone.present")}
          </span>
        </span>
        <span class="st bad">
          <Icon name="x" size="sm" />
          {t("classroom.facts.absent", { n: absent.length })}
        </span>
        <span class="st warn">
          <Icon name="clock" size="sm" />
          {t("classroom.facts.late", { n: late.length })}
        </span>
      </div>
      <p class="sm mut">{t("classroom.phone.attendance_hint")}</p>
      <div class="seats">
        {Array.from({ length: size }, (_, index) => index + 1).map((seat) => {
          const state = absent.includes(seat) ? "absent" : late.includes(seat) ? "late" : "present";
          return (
            <button
              type="button"
              key={seat}
              class={state}
              data-seat={seat}
              data-state={state}
              aria-label={t(`classroom.phone.seat_${state}`, { seat })}
              onClick={() => tap(seat)}
            >
              {seat}
              {state !== "present" && <small>{t(`classroom.phone.${state}`)}</small>}
            </button>
          );
        })}
      </div>
      <div class="row size">
        <span class="grow mut">{t("classroom.phone.size")}</span>
        <button type="button" class="btn" aria-label={t("classroom.phone.fewer")} onClick={() => resize(size - 1)}>
          −
        </button>
        <b>{size}</b>
        <button type="button" class="btn" aria-label={t("classroom.phone.more")} onClick={() => resize(size + 1)}>
          +
        </button>
      </div>
      <div class="confirm">
        <Undelivered classroom={classroom} />
        <button
          type="button"
          class="big"
          data-action="take-attendance"
          data-state={taken ? "taken" : "open"}
          aria-busy={busy || undefined}
          onClick={() => classroom.ask({ t: "take_attendance", absent: sorted(absent), late: sorted(late) })}
        >
          <Icon name={busy ? "load" : "check"} size="lg" spin={busy} />
          {t(taken ? "classroom.phone.attendance_done" : "classroom.phone.attendance_confirm")}
        </button>
      </div>
    </main>
  );
}

const sorted = (list: readonly number[]) => [...list].sort((a, b) => a - b);

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((seat) => b.includes(seat));
}
