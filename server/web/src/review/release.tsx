/** Who may watch the recording: what holds, changing it for those who may, and every change that was made. */
import { useState } from "preact/hooks";
import type { NewRelease, ReleaseView, ReviewView, Scope } from "../generated/api";
import { Problem, put } from "../ui/api";
import { Button, Failure, Note, useAction } from "../ui/components";
import { t } from "../ui/i18n";
import { Icon, type IconName } from "../ui/icons";
import { dateTime } from "../ui/time";

const SCOPES: readonly Scope[] = ["teachers", "units", "community"];
const ICONS: Record<Scope, IconName> = { teachers: "lock", units: "home", community: "users" };

export interface ReleaseProps {
  view: ReviewView;
  changed: (view: ReviewView) => void;
  reload: () => void;
}

/** In the heading: with whom it is shared, and the way to change that. */
export function ReleaseChip({ scope, open }: { scope: Scope; open: () => void }) {
  return (
    <button type="button" class="btn s quiet" data-action="who-may-watch" data-scope={scope} onClick={open}>
      <Icon name={ICONS[scope]} size="sm" />
      {t(`release.short.${scope}`)}
    </button>
  );
}

export function Release({ view, changed, reload }: ReleaseProps) {
  const { release } = view;
  const names = release.invited.map((one) => one.name).join(t("classroom.comma"));
  return (
    <section class="rel" data-scope={release.scope}>
      <h3 class="h">{t("release.title")}</h3>
      <p class="row">
        <Icon name={ICONS[release.scope]} />
        <span class="grow">
          {t(`release.now.${release.scope}`)}
          {names !== "" && ` ${t("release.invited", { names })}`}
        </span>
      </p>
      {view.watching !== "yes" && <Note tone="info">{t(`release.why.${view.watching}`)}</Note>}
      {(release.may.length > 1 || (release.may.length === 1 && release.invited.length > 0)) && (
        <Form key={release.revision} view={view} changed={changed} reload={reload} />
      )}
      {view.keptUntil != null && view.deletedAt == null && <p class="xs dim">{t("release.kept", { date: dateTime(view.keptUntil) })}</p>}
      {release.history.length > 0 && (
        <ul class="lg">
          {release.history.map((row) => (
            <li key={row.at} class="row">
              <span class="grow">
                <b>{row.name || t("release.by_upgrade")}</b> <span class="sm">{t(`release.did.${row.scope}`)}</span>
                {row.invited.length > 0 && <span class="sm dim"> {t("release.invited", { names: row.invited.join(t("classroom.comma")) })}</span>}
              </span>
              {row.name && <span class="sm dim nw">{dateTime(row.at)}</span>}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Form({ view, changed, reload }: ReleaseProps) {
  const { release, row } = view;
  const [scope, setScope] = useState<Scope>(release.scope);
  const [invited, setInvited] = useState<readonly string[]>(release.invited.map((one) => one.person));
  const action = useAction();
  const stale = action.error instanceof Problem && action.error.status === 409;
  const known = people(release);
  const wider = SCOPES.indexOf(scope) - SCOPES.indexOf(release.scope);
  const fewer = release.invited.some((one) => !invited.includes(one.person));
  const more = invited.some((id) => release.invited.every((one) => one.person !== id));
  const send = () =>
    action.run(async () =>
      changed(
        await put<ReviewView>(`/api/reviews/${encodeURIComponent(row.id)}/release`, {
          revision: release.revision,
          scope,
          invited: [...invited],
        } satisfies NewRelease),
      ),
    );
  return (
    <form
      class="cl edit"
      onSubmit={(event) => {
        event.preventDefault();
        if (!action.busy) send();
      }}
    >
      <fieldset class="rel-ways">
        <legend class="sr">{t("release.title")}</legend>
        {SCOPES.filter((one) => release.may.includes(one)).map((one) => (
          <label key={one} class="rel-way">
            <input type="radio" name="scope" value={one} checked={scope === one} onChange={() => setScope(one)} />
            <span>
              <b>{t(`release.short.${one}`)}</b> <span class="sm dim">{t(`release.hint.${one}`)}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {known.length > 0 && (
        <fieldset class="rel-ways">
          <legend class="sm mut">{t("release.invite")}</legend>
          {known.map((one) => (
            <label key={one.person} class="rel-way">
              <input
                type="checkbox"
                name="invited"
                value={one.person}
                checked={invited.includes(one.person)}
                onChange={(event) => setInvited(event.currentTarget.checked ? [...invited, one.person] : invited.filter((id) => id !== one.person))}
              />
              <span>
                {one.name} <span class="sm dim">{one.unitName}</span>
              </span>
            </label>
          ))}
        </fieldset>
      )}
      {stale ? (
        <Note tone="warn">
          {t("review.closing.stale")}{" "}
          <Button small action="reload" onClick={reload}>
            {t("review.closing.look")}
          </Button>
        </Note>
      ) : (
        <Failure error={action.error} />
      )}
      <div class="row">
        <span class="sm dim grow">{t(wider < 0 || (wider === 0 && fewer) ? "release.at_once" : "release.logged")}</span>
        <Button kind="pri" submit action="set-release" busy={action.busy} disabled={wider === 0 && !fewer && !more}>
          {t(wider > 0 || (wider === 0 && more && !fewer) ? "release.share" : wider < 0 ? "release.take_back" : "release.change")}
        </Button>
      </div>
    </form>
  );
}

/** Whom one can tick: who is invited, and whom one may invite. */
function people(release: ReleaseView): ReleaseView["invited"] {
  const others = release.invitable.filter((one) => release.invited.every((here) => here.person !== one.person));
  return [...release.invited, ...others];
}
