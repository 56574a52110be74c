/** Ways into a lesson beside its own people, given away and taken back by its host: who watches, encoders, players. */
import "./access.css";
import { useState } from "preact/hooks";
import type { Access, AccessRow, NewAccess } from "../generated/api";
import { del, get, post } from "../ui/api";
import { Button, Dialog, Failure, StateChip, Tabs, useAction } from "../ui/components";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import { useResource } from "../ui/resource";
import { dateTime } from "../ui/time";

type Kind = NewAccess["kind"];
type Tab = "watching" | "encoder" | "player";

const KINDS: Record<Tab, Kind[]> = { watching: ["peers", "guest"], encoder: ["encoder"], player: ["player"] };
const REFRESH_SECONDS = 5;
/** What a recording host or OBS has to be set to, in order. */
const STEPS = ["service", "server", "token", "video", "sound", "start"];

export interface AccessProps {
  session: string;
  /** Who watches now, by name; absent where there is no room to look into yet. */
  watching?: readonly string[];
  close: () => void;
}

export function AccessDialog({ session, watching, close }: AccessProps) {
  const path = `/api/sessions/${encodeURIComponent(session)}/access`;
  const [tab, setTab] = useState<Tab>("watching");
  const [made, setMade] = useState<{ kind: Kind; access: Access } | null>(null);
  const { busy, error, run } = useAction();
  const given = useResource<AccessRow[]>(path, (signal) => get(path, signal), REFRESH_SECONDS);
  const give = (kind: Kind) =>
    run(async () => {
      const access = await post<Access>(path, { kind } satisfies NewAccess);
      setMade(kind === "peers" ? null : { kind, access });
      given.reload();
    });
  const withdraw = (id: string) =>
    run(async () => {
      await del(`${path}/${encodeURIComponent(id)}`);
      if (made?.access.id === id) setMade(null);
      given.reload();
    });
  const rows = (given.data ?? []).filter((row) => KINDS[tab].includes(row.kind));
  const peers = rows.find((row) => row.kind === "peers");
  const shown = made && KINDS[tab].includes(made.kind) ? made : null;
  return (
    <Dialog title={t("access.title")} onClose={close}>
      <Tabs<Tab> label={t("access.title")} value={tab} choices={(Object.keys(KINDS) as Tab[]).map((value) => ({ value, label: t(`access.tab.${value}`) }))} onChange={setTab} />
      <p class="sm mut">{t(`access.lead.${tab}`)}</p>
      {tab === "watching" && watching !== undefined && (
        <p class="sm" data-watching={watching.length}>
          <Icon name="eye" size="sm" /> {watching.length === 0 ? t("access.nobody") : t("access.watching", { n: watching.length, names: watching.join(t("classroom.comma")) })}
        </p>
      )}
      {shown && <Made kind={shown.kind} access={shown.access} />}
      {rows.length > 0 && (
        <ul class="access-list">
          {rows.map((row) => (
            <li key={row.id} class="row" data-access={row.id} data-kind={row.kind} data-in-use={row.inUse}>
              <span class="grow">
                <b>{t(`access.kind.${row.kind}`)}</b>
                <span class="xs dim">{t("access.given", { name: row.by, until: dateTime(row.expiresAt) })}</span>
              </span>
              {row.inUse && (
                <StateChip tone="ok" icon="check">
                  {t("access.in_use")}
                </StateChip>
              )}
              <Button small action="withdraw" busy={busy} onClick={() => withdraw(row.id)}>
                {t("access.withdraw")}
              </Button>
            </li>
          ))}
        </ul>
      )}
      <Failure error={error ?? (given.data === undefined ? given.error : undefined)} />
      <div class="dialog-acts">
        {KINDS[tab]
          .filter((kind) => kind !== "peers" || (given.data !== undefined && peers === undefined))
          .map((kind) => (
            <Button key={kind} kind={kind === "peers" ? undefined : "pri"} action={`give-${kind}`} busy={busy} onClick={() => give(kind)}>
              {t(`access.give.${kind}`)}
            </Button>
          ))}
      </div>
    </Dialog>
  );
}

/** What was given away just now; its token is shown this once. */
function Made({ kind, access }: { kind: Kind; access: Access }) {
  return (
    <div class="access-made" data-made={kind}>
      <Copied name="url" label={t(`access.address.${kind}`)} value={access.url} />
      {access.token && <Copied name="token" label={t("access.token")} value={access.token} />}
      <p class="xs dim">{t(access.token ? "access.once" : "access.once_link", { until: dateTime(access.expiresAt) })}</p>
      {kind === "encoder" && (
        <details open>
          <summary class="sm">{t("access.obs")}</summary>
          <ol class="sm">
            {STEPS.map((step) => (
              <li key={step}>{t(`access.obs.${step}`)}</li>
            ))}
          </ol>
        </details>
      )}
    </div>
  );
}

function Copied({ name, label, value }: { name: string; label: string; value: string }) {
  const [copied, setCopied] = useState(false);
  const { error, run } = useAction();
  const copy = () =>
    run(async () => {
      await navigator.clipboard.writeText(value);
      setCopied(true);
    });
  return (
    <div class="field">
      <span class="field-label">{label}</span>
      <span class="row">
        <input class="input grow" name={name} value={value} readOnly aria-label={label} onFocus={(event) => event.currentTarget.select()} />
        {navigator.clipboard !== undefined && (
          <Button small icon={copied ? "check" : "copy"} action={`copy-${name}`} onClick={copy}>
            {t(copied ? "access.copied" : "access.copy")}
          </Button>
        )}
      </span>
      <Failure error={error} />
    </div>
  );
}
