/** What stands instead of a classroom: joining, refused, opened elsewhere, over. */
import type { ComponentChildren } from "preact";
import { Button, LinkButton } from "../ui/components";
import { WaysOn } from "../ui/ways-on";
import { has, t } from "../ui/i18n";
import { Icon, type IconName } from "../ui/icons";
import { LanguageSwitch } from "../ui/languages";
import type { Classroom } from "./classroom";

interface CardProps {
  icon: IconName;
  spin?: boolean;
  title: string;
  text?: string;
  state?: string;
  children?: ComponentChildren;
  /** Ways to other pages, below the buttons. */
  ways?: ComponentChildren;
}

function Card({ icon, spin, title, text, state, children, ways }: CardProps) {
  return (
    <main class="gate" data-state={state}>
      <LanguageSwitch />
      <section class="card gate-card" role="status">
        <Icon name={icon} size="lg" spin={spin} />
        <h1>{title}</h1>
        {text && <p class="mut">{text}</p>}
        <div class="row gate-acts">{children}</div>
        {ways}
      </section>
    </main>
  );
}

export function Joining({ classroom }: { classroom: Classroom }) {
  const unreached = classroom.line.value.phase === "reconnecting";
  return (
    <Card icon="load" spin title={t("classroom.gate.joining")} text={t(unreached ? "error.unreachable" : "classroom.gate.joining_text")}>
      {unreached && (
        <Button action="retry" onClick={classroom.retry}>
          {t("act.retry")}
        </Button>
      )}
    </Card>
  );
}

/** The socket closed for good: why, and where to go from here. */
export function Closed({ classroom }: { classroom: Classroom }) {
  const { reason } = classroom.line.value;
  const snapshot = classroom.room.value?.snapshot;
  if (snapshot?.state === "ended" || reason === "ended" || reason === "session_over") return <Over classroom={classroom} />;
  if (reason === "not_signed_in") {
    return (
      <Card icon="lock" title={t("classroom.gate.signed_out")}>
        <LinkButton kind="pri" href={`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`}>
          {t("sign_in.submit")}
        </LinkButton>
      </Card>
    );
  }
  const known = has(`classroom.gate.${reason}`) ? reason : "refused";
  return (
    <Card
      icon={reason === "replaced" ? "swap" : reason === "left" ? "out" : "ban"}
      title={t(`classroom.gate.${known}`, { code: reason })}
      state={reason}
      ways={<WaysOn session={classroom.session} />}
    >
      {(reason === "replaced" || reason === "left") && (
        <Button kind="pri" action="join" onClick={() => location.reload()}>
          {t("classroom.gate.join_again")}
        </Button>
      )}
    </Card>
  );
}

export function Over({ classroom }: { classroom: Classroom }) {
  const review = classroom.review.value ?? classroom.room.value?.snapshot.review;
  const title = classroom.room.value?.snapshot.lesson.title;
  // the address of a lesson's page may name the lesson itself; the room knows which of its sessions this was
  const session = classroom.room.value?.snapshot.session ?? classroom.session;
  return (
    <Card
      icon="check"
      state="ended"
      title={t("classroom.gate.over")}
      text={[title, review && t("classroom.gate.over_text")].filter(Boolean).join(" · ")}
      // once it is known whether there is a review, which follows the end by a moment
      ways={<WaysOn key={review ?? ""} session={session} />}
    />
  );
}
