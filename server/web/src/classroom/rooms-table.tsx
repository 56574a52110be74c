/** The rooms of a lesson in words, beside the tiles. */
import { useState } from "preact/hooks";
import type { Participant } from "../generated/live";
import { Button } from "../ui/components";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import { AccessDialog } from "./access";
import { lineWords, seenWord } from "./pictures";
import { hasNotCome, lessonRooms, memberRooms, type Room } from "./room";

/** Facts of every room that the tiles have no place for: who is absent, and what the assistant says. */
export function RoomsTable({ room }: { room: Room }) {
  const [accessOpen, openAccess] = useState(false);
  const watching = room.snapshot.participants.filter((p) => p.hidden && p.presence !== "offline").map((p) => p.name);
  return (
    <section class="card sec facts">
      <div class="row hd-act">
        <h2 class="grow">{t("classroom.facts.title")}</h2>
        {watching.length > 0 && (
          <span class="sm mut nw" title={watching.join(t("classroom.comma"))} data-watching={watching.length}>
            <Icon name="eye" size="sm" /> {watching.length}
          </span>
        )}
        <Button small icon="link" action="open-access" onClick={() => openAccess(true)}>
          {t("access.open")}
        </Button>
      </div>
      {accessOpen && <AccessDialog session={room.snapshot.session} watching={watching} close={() => openAccess(false)} />}
      <table>
        <thead>
          <tr>
            <th scope="col">{t("classroom.facts.room")}</th>
            <th scope="col">{t("classroom.facts.attendance")}</th>
            <th scope="col">{t("classroom.facts.assistant")}</th>
            <th scope="col">{t("classroom.facts.sees")}</th>
          </tr>
        </thead>
        <tbody>
          {lessonRooms(room).map((p) => (
            <tr key={p.id}>
              <th scope="row">{p.unitName}</th>
              <td class={p.absent && p.absent.length > 0 ? "z" : ""}>
                {hasNotCome(p)
                  ? t("classroom.facts.not_come")
                  : p.absent === null
                    ? t("classroom.facts.not_taken")
                    : p.absent.length + p.late.length === 0
                      ? t("classroom.facts.all_present")
                      : [p.absent.length > 0 && t("classroom.facts.absent", { n: p.absent.length }), p.late.length > 0 && t("classroom.facts.late", { n: p.late.length })]
                          .filter(Boolean)
                          .join(" · ")}
              </td>
              <td class={p.signal && p.signal !== "ready" ? "z" : ""}>{p.signal ? t(`classroom.signal.${p.signal}`) : "—"}</td>
              <Sees room={room} participant={p} />
            </tr>
          ))}
        </tbody>
      </table>
      {memberRooms(room).length === 0 && <p class="dim sm">{t("classroom.facts.nobody")}</p>}
    </section>
  );
}

/** What really arrives at a far room of the picture that is shown to all. */
function Sees({ room, participant }: { room: Room; participant: Participant }) {
  const seen = seenWord(room, participant);
  return (
    <td class={seen?.poor ? "z" : ""} data-sees={room.links[participant.id]?.sees ?? ""} title={lineWords(room, participant)}>
      {seen?.word ?? "—"}
    </td>
  );
}
