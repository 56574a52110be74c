/** Who opened this recording, and when. */
import type { ReviewView } from "../generated/api";
import { Empty, Note } from "../ui/components";
import { t } from "../ui/i18n";
import { dateTime } from "../ui/time";

export function Viewings({ view }: { view: ReviewView }) {
  const newest = [...view.viewings].sort((a, b) => b.at - a.at);
  return (
    <div class="pb" role="tabpanel">
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
