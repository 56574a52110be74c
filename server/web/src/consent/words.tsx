/** What was written about the lessons of a class that has withdrawn: its school hides what names a pupil. */

import { useState } from "preact/hooks";
import type { ClassConsent, NamedPupil, ReviewWord } from "../generated/api";
import { post } from "../ui/api";
import { Button, Empty, Failure, StateChip, useAction } from "../ui/components";
import { t } from "../ui/i18n";
import { label } from "../ui/names";
import { dateTime } from "../ui/time";

/** From so many texts on a name is looked for. */
const SEARCHED_FROM = 6;

export interface WordsProps {
  consent: ClassConsent;
  path: string;
  changed: (consent: ClassConsent) => void;
}

export function Words({ consent, path, changed }: WordsProps) {
  const [wanted, setWanted] = useState("");
  const { words } = consent;
  const found = words.filter((one) => one.text.includes(wanted.trim()));
  return (
    <section class="card box">
      <h2>{t("consents.words", { n: words.length })}</h2>
      {words.length === 0 ? (
        <Empty>{t("consents.words.none")}</Empty>
      ) : (
        <>
          <p class="sm">{t("consents.words.lead")}</p>
          {words.length > SEARCHED_FROM && (
            <input class="input search" type="search" aria-label={t("consents.words.search")} placeholder={t("consents.words.search")} value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} />
          )}
          <ul class="words">
            {found.map((one) => (
              <Word key={`${one.review} ${one.word}`} one={one} path={path} changed={changed} />
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function Word({ one, path, changed }: { one: ReviewWord; path: string; changed: (consent: ClassConsent) => void }) {
  const [asking, setAsking] = useState(false);
  const action = useAction();
  const hide = () => action.run(async () => changed(await post<ClassConsent>(`${path}/hidden`, { review: one.review, word: one.word } satisfies NamedPupil)));
  return (
    <li data-word={one.word} data-hidden={one.hidden}>
      <p class="xs mut">
        {[t(`consents.kind.${one.kind}`), label(one.authorName), label(one.title), dateTime(one.heldAt)].join(" · ")}
      </p>
      <div class="row">
        {one.hidden ? <StateChip tone="silent">{t("consents.words.hidden")}</StateChip> : <p class="grow text">{one.text}</p>}
        {!one.hidden && !asking && (
          <Button small action="hide-word" onClick={() => setAsking(true)}>
            {t("consents.words.hide")}
          </Button>
        )}
      </div>
      {!one.hidden && asking && (
        <div class="row">
          <Button small kind="bad" action="confirm-hide-word" busy={action.busy} onClick={hide}>
            {t("consents.words.confirm")}
          </Button>
          <Button small kind="quiet" onClick={() => setAsking(false)}>
            {t("act.cancel")}
          </Button>
        </div>
      )}
      <Failure error={action.error} />
    </li>
  );
}
