/** The page of a person in a live session: host, assistant or observer, by what the server says. */
import "./gate.css";
import "./tile.css";
import "./host.css";
import "./assistant.css";
import "./panel.css";
import "./devices.css";
import { mount } from "../ui/mount";
import { AssistantPage } from "./assistant";
import { Classroom } from "./classroom";
import { Closed, Joining, Over } from "./gate";
import { HostPage } from "./host";
import { ObserverPage } from "./observer";
import { PanelPage } from "./panel";
import { countFrames } from "./parts";

/** `/classroom/{session}`, and `?as=` where somebody may be more than one thing. */
const session = decodeURIComponent(location.pathname.split("/").filter(Boolean).pop() ?? "");
const classroom = new Classroom(session, new URLSearchParams(location.search).get("as"));

function ClassroomPage() {
  const room = classroom.room.value;
  if (classroom.line.value.phase === "closed") return <Closed classroom={classroom} />;
  if (room === null) return <Joining classroom={classroom} />;
  if (room.snapshot.state === "ended") return <Over classroom={classroom} />;
  switch (room.role) {
    case "host":
      return <HostPage classroom={classroom} />;
    case "assistant":
      return <AssistantPage classroom={classroom} />;
    case "endpoint":
      return <PanelPage classroom={classroom} />;
    default:
      return <ObserverPage classroom={classroom} />;
  }
}

classroom.start();
countFrames();
// A page brought back by the back button has left the room: enter it again.
addEventListener("pageshow", (event) => event.persisted && location.reload());
void mount(ClassroomPage, "classroom.title");
