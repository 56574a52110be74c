/** What all rooms see now, who is heard, and whom to call next. */
import type { Participant } from "../generated/live";
import { Button } from "../ui/components";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import type { Classroom } from "./classroom";
import { Face } from "./parts";
import { Sources } from "./pictures";
import { host, memberRooms, program, type Room } from "./room";
import { lasting, serverNow } from "./ticker";
import { titleOf } from "./paper";

export function Program({ classroom, room }: { classroom: Classroom; room: Room }) {
  const { snapshot } = room;
  const shown = program(room);
  const teacher = host(room);
  const others = memberRooms(room).filter((p) => p.presence !== "offline").length;
  const onAir = snapshot.participants.filter((p) => !p.muted && !p.hidden && p.presence === "connected");
  const away = shown !== undefined && shown.id !== teacher?.id;
  const other = away ? shown : snapshot.participants.find((p) => p.id === snapshot.called);
  return (
    <section class="card sec" aria-label={t("classroom.program.title")}>
      <div class="row hd">
        <h2 class="grow ell">{t("classroom.program.title")}</h2>
        <div class="seg-ctl" role="group" aria-label={t("classroom.program.title")}>
          <button type="button" aria-pressed={!away} data-action="spotlight" onClick={() => classroom.ask({ t: "spotlight", participant: null })}>
            {t("classroom.program.me")}
          </button>
          {other && (
            <button type="button" aria-pressed={away} data-action="spotlight" onClick={() => classroom.ask({ t: "spotlight", participant: other.id })}>
              {other.unitName}
            </button>
          )}
        </div>
      </div>
      <div class={away ? "prog" : "prog one"}>
        {shown && (
          <div class="pg" data-program={shown.id}>
            <Face classroom={classroom} participant={shown} />
            <span class="plab">
              <Icon name="eye" size="sm" />
              {t("classroom.program.rooms", { n: others })}
            </span>
          </div>
        )}
        {away && teacher && (
          <div class="pg small">
            <Face classroom={classroom} participant={teacher} />
            <span class="plab">{t("classroom.program.me")}</span>
          </div>
        )}
        {snapshot.board.shown && (
          <p class="sm mut au ell">
            <Icon name="doc" size="sm" />
            {t("board.large", { title: titleOf(snapshot.board.shown.material), page: snapshot.board.shown.page })}
          </p>
        )}
        {shown && <Sources classroom={classroom} room={room} participant={shown} />}
        <p class="sm mut au">
          <Icon name="vol" size="sm" />
          {onAir.length === 0
            ? t("classroom.program.nobody")
            : t("classroom.program.on_air", { names: onAir.map((p) => (p.id === room.me ? t("classroom.program.me") : p.unitName)).join(t("classroom.comma")) })}
        </p>
      </div>
    </section>
  );
}

export function Suggestion({ classroom, room, next }: { classroom: Classroom; room: Room; next: Participant }) {
  const oldest = Math.min(...next.hands.map((hand) => hand.at));
  const reasons = [
    next.turns === 0 ? t("classroom.turns.none") : t("classroom.turns.n", { n: next.turns }),
    next.hands.length > 0 && t("classroom.tile.hands", { n: next.hands.length }),
    next.hands.length > 0 && t("classroom.next.waited", { time: lasting(serverNow(room) - oldest) }),
  ];
  return (
    <section class="card sec next" data-next={next.id}>
      <div class="row">
        <span class="grow">
          <b class="ell">{t("classroom.next.title", { unit: next.unitName })}</b>
          <span class="sm">{reasons.filter(Boolean).join(" · ")}</span>
        </span>
        <Button kind="pri" action="call-on" onClick={() => classroom.ask({ t: "call_on", participant: next.id })}>
          {t("classroom.act.call")}
        </Button>
      </div>
    </section>
  );
}
