/** What was written about the lessons of a class that does not agree: its school hides what names a pupil. */

import { useState } from "preact/hooks";
import type { NamedPupils, ReviewWord } from "../generated/api";
import { get, post } from "../ui/api";
import { Button, Empty, Failure, Skeleton, StateChip, useAction } from "../ui/components";
import { t } from "../ui/i18n";
import { label } from "../ui/names";
import { useResource } from "../ui/resource";
import { dateTime } from "../ui/time";

/** From so many texts on a name is looked for. */
const SEARCHED_FROM = 4;
/** So many are hidden by one press; the next press takes the rest. */
const AT_ONCE = 200;

/** `path`: of the class. */
export function Words({ path }: { path: string }) {
  const address = `${path}/words`;
  const { data, error, slow, set, reload } = useResource<ReviewWord[]>(address, (signal) => get(address, signal));
  const [wanted, setWanted] = useState("");
  const words = data ?? [];
  const name = wanted.trim();
  const found = words.filter((one) => name === "" || one.text.includes(name));
  const atOnce = found.slice(0, AT_ONCE);
  const hide = async (named: readonly ReviewWord[]) => {
    await post(`${path}/hidden`, { words: named.map(({ review, word }) => ({ review, word })) } satisfies NamedPupils);
    set(words.map((one) => (named.includes(one) ? { ...one, text: "", hidden: true } : one)));
  };
  return (
    <section class="card box">
      <h2>{t("consents.words", { n: words.length })}</h2>
      <Failure error={error} retry={reload} />
      {slow && <Skeleton lines={4} />}
      {data !== undefined && words.length === 0 && <Empty>{t("consents.words.none")}</Empty>}
      {words.length > 0 && (
        <>
          <p class="sm">{t("consents.words.lead")}</p>
          {words.length >= SEARCHED_FROM && (
            <div class="list-tools">
              <input class="input search" type="search" aria-label={t("consents.words.search")} placeholder={t("consents.words.search")} value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} />
              {name !== "" && found.length > 0 && <Hide key={name} action="hide-found" words={t("consents.words.hide_found", { n: atOnce.length })} hide={() => hide(atOnce)} />}
            </div>
          )}
          {found.length === 0 && <Empty>{t("consents.none_found")}</Empty>}
          <ul class="words">
            {found.map((one) => (
              <li key={`${one.review} ${one.word}`} data-word={one.word} data-hidden={one.hidden}>
                <p class="xs mut">{[t(`consents.kind.${one.kind}`), label(one.authorName), label(one.title), dateTime(one.heldAt)].join(" · ")}</p>
                {one.hidden ? (
                  <p>
                    <StateChip tone="silent">{t("consents.words.hidden")}</StateChip>
                  </p>
                ) : (
                  <div class="word">
                    <p class="text">{one.text}</p>
                    <Hide action="hide-word" words={t("consents.words.hide")} hide={() => hide([one])} />
                  </div>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

/** Two presses: what is hidden does not come back by itself. */
function Hide({ action, words, hide }: { action: string; words: string; hide: () => Promise<void> }) {
  const [asking, setAsking] = useState(false);
  const doing = useAction();
  return (
    <div class="hide">
      {asking ? (
        <span class="row">
          <Button small kind="bad" action={`confirm-${action}`} busy={doing.busy} onClick={() => doing.run(hide)}>
            {t("consents.words.confirm")}
          </Button>
          <Button small kind="quiet" onClick={() => setAsking(false)}>
            {t("act.cancel")}
          </Button>
        </span>
      ) : (
        <Button small action={action} onClick={() => setAsking(true)}>
          {words}
        </Button>
      )}
      <Failure error={doing.error} />
    </div>
  );
}
