/** The page of a person in a live session: host, assistant or observer, by what the server says. */
import "./gate.css";
import "./tile.css";
import "./host.css";
import "./assistant.css";
import "./panel.css";
import "./devices.css";
import "./exercise.css";
import "./chat.css";
import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { mount } from "../ui/mount";
import { Classroom } from "./classroom";
import { Closed, Joining, Over } from "./gate";
import { countFrames } from "./parts";

type View = FunctionComponent<{ classroom: Classroom }>;

/** Each role loads its own screen alone: a phone on a village's line needs no host's. */
const VIEWS: Record<string, () => Promise<View>> = {
  host: () => import("./host").then((module) => module.HostPage),
  assistant: () => import("./assistant").then((module) => module.AssistantPage),
  endpoint: () => import("./panel").then((module) => module.PanelPage),
};
const WATCHING = () => import("./observer").then((module) => module.ObserverPage);
const LOAD_AGAIN = 2_000;

/** `/classroom/{session}`, and `?as=` where somebody may be more than one thing. */
const session = decodeURIComponent(location.pathname.split("/").filter(Boolean).pop() ?? "");
const classroom = new Classroom(session, new URLSearchParams(location.search).get("as"), invitation());

/** What a guest's link holds behind its #: it outlives the sign-in that comes between. */
function invitation(): string {
  const key = `tongke.invitation.${session}`;
  const given = location.hash.slice(1);
  try {
    if (given) sessionStorage.setItem(key, given);
    return sessionStorage.getItem(key) ?? "";
  } catch {
    // Without storage the link works for whoever has signed in already.
    return given;
  }
}

function ClassroomPage() {
  const room = classroom.room.value;
  if (classroom.line.value.phase === "closed") return <Closed classroom={classroom} />;
  if (room === null) return <Joining classroom={classroom} />;
  if (room.snapshot.state === "ended") return <Over classroom={classroom} />;
  return <ByRole role={room.role} />;
}

function ByRole({ role }: { role: string }) {
  const [view, setView] = useState<{ role: string; Page: View } | null>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let wanted = true;
    (VIEWS[role] ?? WATCHING)().then(
      (Page) => wanted && setView({ role, Page }),
      () => setTimeout(() => wanted && setAttempt(attempt + 1), LOAD_AGAIN),
    );
    return () => {
      wanted = false;
    };
  }, [role, attempt]);
  return view === null || view.role !== role ? <Joining classroom={classroom} /> : <view.Page classroom={classroom} />;
}

classroom.start();
countFrames();
// A page brought back by the back button has left the room: enter it again.
addEventListener("pageshow", (event) => event.persisted && location.reload());
void mount(ClassroomPage, "classroom.title");
