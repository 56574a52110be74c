/** Who may watch this recording, who opened it, and when. */
import { Empty, Note } from "../ui/components";
import { t } from "../ui/i18n";
import { holds } from "../ui/session";
import { dateTime } from "../ui/time";
import { Release, type ReleaseProps } from "./release";

export function Viewings({ view, changed, reload }: ReleaseProps) {
  const newest = [...view.viewings].sort((a, b) => b.at - a.at);
  return (
    <div class="pb" role="tabpanel">
      {holds("academic_director", "principal", "convenor", "bureau_admin") && (
        <p class="sm">
          <a class="link" data-action="consents" href="/consents">
            {t("consents.link")}
          </a>
        </p>
      )}
      <Release view={view} changed={changed} reload={reload} />
      <h3 class="h">{t("review.log.title")}</h3>
      <Note tone="info">{t("review.log.note")}</Note>
      {newest.length === 0 ? (
        <Empty>{t("review.log.none")}</Empty>
      ) : (
        <ul class="lg">
          {newest.map((row) => (
            <li key={`${row.person}${row.at}`} class="row">
              <b class="grow ell">
                {row.name} <span class="dim sm">{row.unitName}</span>
              </b>
              <span class="sm dim nw">{dateTime(row.at)}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
