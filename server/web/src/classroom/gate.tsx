/** What stands instead of a classroom: joining, refused, opened elsewhere, over. */
import type { ComponentChildren } from "preact";
import { Button, LinkButton } from "../ui/components";
import { has, t } from "../ui/i18n";
import { Icon, type IconName } from "../ui/icons";
import type { Classroom } from "./classroom";

interface CardProps {
  icon: IconName;
  spin?: boolean;
  title: string;
  text?: string;
  state?: string;
  children?: ComponentChildren;
}

function Card({ icon, spin, title, text, state, children }: CardProps) {
  return (
    <main class="gate" data-state={state}>
      <section class="card gate-card" role="status">
        <Icon name={icon} size="lg" spin={spin} />
        <h1>{title}</h1>
        {text && <p class="mut">{text}</p>}
        <div class="row gate-acts">{children}</div>
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
  if (snapshot?.state === "ended" || reason === "ended") return <Over classroom={classroom} />;
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
    <Card icon={reason === "replaced" ? "swap" : reason === "left" ? "out" : "ban"} title={t(`classroom.gate.${known}`, { code: reason })}>
      {(reason === "replaced" || reason === "left") && (
        <Button kind="pri" action="join" onClick={() => location.reload()}>
          {t("classroom.gate.join_again")}
        </Button>
      )}
      <LinkButton href="/lessons">{t("classroom.gate.to_lessons")}</LinkButton>
    </Card>
  );
}

export function Over({ classroom }: { classroom: Classroom }) {
  const review = classroom.review.value ?? classroom.room.value?.snapshot.review;
  const title = classroom.room.value?.snapshot.lesson.title;
  return (
    <Card icon="check" state="ended" title={t("classroom.gate.over")} text={[title, t("classroom.gate.over_text")].filter(Boolean).join(" · ")}>
      {review ? (
        <LinkButton kind="pri" href={`/review/${encodeURIComponent(review)}`} action="open-review">
          {t("classroom.gate.to_review")}
        </LinkButton>
      ) : (
        <LinkButton kind="pri" href="/reviews">
          {t("classroom.gate.to_reviews")}
        </LinkButton>
      )}
      <LinkButton href="/">{t("classroom.gate.home")}</LinkButton>
    </Card>
  );
}
