/** Subscribing a calendar program to a timetable: a secret address, shown once, and those given out before. */

import { useState } from "preact/hooks";
import type { FeedRow, NewFeed } from "../generated/api";
import { del, get, post } from "../ui/api";
import { Button, Dialog, Failure, Field, useAction } from "../ui/components";
import { Icon } from "../ui/icons";
import { t } from "../ui/i18n";
import { label } from "../ui/names";
import { useResource } from "../ui/resource";
import { dateTime } from "../ui/time";

export interface SubscribeProps {
  kind: NewFeed["kind"];
  target: string;
  name: string;
}

export function Subscribe(props: SubscribeProps) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button small icon="link" onClick={() => setOpen(true)}>
        {t("feed.open")}
      </Button>
      {open && <SubscribeDialog {...props} close={() => setOpen(false)} />}
    </>
  );
}

function SubscribeDialog({ kind, target, name, close }: SubscribeProps & { close: () => void }) {
  const [device, setDevice] = useState("");
  const [made, setMade] = useState<FeedRow | null>(null);
  const [copied, setCopied] = useState(false);
  const { busy, error, run } = useAction();
  const feeds = useResource<FeedRow[]>("feeds", (signal) => get("/api/feeds", signal));
  const create = () =>
    run(async () => {
      const body: NewFeed = { kind, target, device: device.trim() };
      setMade(await post<FeedRow>("/api/feeds", body));
      feeds.reload();
    });
  const remove = (feed: FeedRow) =>
    run(async () => {
      await del(`/api/feeds/${encodeURIComponent(feed.id)}`);
      if (feed.id === made?.id) setMade(null);
      feeds.reload();
    });
  const copy = (url: string) => run(async () => {
    await navigator.clipboard.writeText(url);
    setCopied(true);
  });
  return (
    <Dialog title={t("feed.title", { name })} onClose={close}>
      <p class="mut sm">{t("feed.lead")}</p>
      <Failure error={error} />
      {made?.url ? (
        <div class="note ok feed-made">
          <Icon name="check" size="sm" />
          <div class="grow">
            <p>{t("feed.once")}</p>
            <code class="feed-url">{made.url}</code>
            {navigator.clipboard !== undefined && (
              <Button small icon="copy" onClick={() => copy(made.url ?? "")}>
                {t(copied ? "feed.copied" : "feed.copy")}
              </Button>
            )}
          </div>
        </div>
      ) : (
        <form
          class="feed-form"
          onSubmit={(event) => {
            event.preventDefault();
            if (!busy) create();
          }}
        >
          <Field label={t("feed.device")} hint={t("feed.device_hint")}>
            <input class="input" value={device} maxLength={60} onInput={(event) => setDevice(event.currentTarget.value)} />
          </Field>
          <Button kind="pri" submit busy={busy}>
            {t("feed.create")}
          </Button>
        </form>
      )}
      {feeds.data && feeds.data.length > 0 && (
        <div>
          <h3 class="h">{t("feed.given")}</h3>
          <ul class="feed-list">
            {feeds.data.map((feed) => (
              <li class="row" key={feed.id}>
                <span class="grow">
                  <b class="sm">{label(feed.name)}</b> <span class="sm mut">{feed.device}</span>
                  <br />
                  <span class="xs dim">{feed.lastRead === null ? t("feed.never_read") : t("feed.last_read", { time: dateTime(feed.lastRead) })}</span>
                </span>
                <Button small kind="bad" onClick={() => remove(feed)}>
                  {t("feed.remove")}
                </Button>
              </li>
            ))}
          </ul>
        </div>
      )}
    </Dialog>
  );
}
