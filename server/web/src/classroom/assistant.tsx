/** The assistant's phone in a far classroom: how the class is, hands for pupils, attendance, and the telephone. */
import { useEffect, useState } from "preact/hooks";
import { t } from "../ui/i18n";
import { Icon, type IconName } from "../ui/icons";
import { ChatPanel, UnreadMark } from "./chat";
import type { Classroom } from "./classroom";
import { useKeys } from "./keys";
import { nextSource } from "./pictures";
import { ownRoom } from "./room";
import { OverrunWarning } from "./overrun";
import { PhoneHeader } from "./phone-header";
import { Lesson } from "./phone-lesson";
import { Attendance } from "./attendance";
import { Telephone } from "./telephone";

type Tab = "lesson" | "attendance" | "chat" | "phone";
const TABS: readonly { tab: Tab; icon: IconName }[] = [
  { tab: "lesson", icon: "sync" },
  { tab: "attendance", icon: "users" },
  { tab: "chat", icon: "joint" },
  { tab: "phone", icon: "phone" },
];

export function AssistantPage({ classroom }: { classroom: Classroom }) {
  const room = classroom.room.value;
  const [chosen, choose] = useState<Tab>("lesson");
  const own = room && ownRoom(room);
  const down = own?.role === "endpoint" && own.presence !== "connected";
  // The telephone comes forward by itself when the classroom's line falls, and goes when it is back.
  useKeys((key) => {
    const after = room && own && nextSource(room, own);
    if (key !== "c" || !own || !after) return false;
    classroom.selectSource(own, after);
    return true;
  });
  useEffect(() => choose((tab) => (down ? "phone" : tab === "phone" ? "lesson" : tab)), [down]);
  if (room === null || !own) return null;
  return (
    <div class="phone" data-session={room.snapshot.session} data-state={room.snapshot.state} data-role="assistant">
      <PhoneHeader room={room} own={own} />
      <OverrunWarning room={room} />
      {chosen === "lesson" && <Lesson classroom={classroom} room={room} own={own} />}
      {chosen === "attendance" && <Attendance classroom={classroom} room={room} own={own} />}
      {chosen === "chat" && <ChatPanel classroom={classroom} room={room} />}
      {chosen === "phone" && <Telephone room={room} own={own} down={down} />}
      <nav class="tb" aria-label={t("classroom.phone.parts")}>
        {TABS.map(({ tab, icon }) => (
          <button type="button" key={tab} data-tab={tab} aria-pressed={tab === chosen} onClick={() => choose(tab)}>
            <Icon name={icon} />
            {t(`classroom.phone.tab_${tab}`)}
            {tab === "chat" && chosen !== "chat" && <UnreadMark room={room} />}
          </button>
        ))}
      </nav>
    </div>
  );
}
