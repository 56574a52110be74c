/** The bilateral reviews of a community: which are open, who has not written yet. */

import "./lists.css";

import { useState } from "preact/hooks";
import type { ReviewRow, TodayView } from "../generated/api";
import { get } from "../ui/api";
import { LinkButton, Segmented, StateChip } from "../ui/components";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import { Listing } from "../ui/listing";
import { mount } from "../ui/mount";
import { label } from "../ui/names";
import { useResource } from "../ui/resource";
import { community } from "../ui/session";
import { dateTime } from "../ui/time";
import { Frame } from "../ui/top";

type Shown = "open" | "closed";
const TONES: Record<ReviewRow["state"], string> = { open: "silent", one_side: "proposed", both_sides: "ok", closed: "published" };

function ReviewsPage() {
  const [shown, setShown] = useState<Shown>("open");
  const here = community.value;
  const query = here && `community=${encodeURIComponent(here.id)}`;
  const listed = useResource<ReviewRow[]>(query, (signal) => get(`/api/reviews?${query}`, signal));
  const units = useResource<TodayView>(query, (signal) => get(`/api/today?${query}`, signal)).data?.units ?? [];
  const nameOf = (id: string) => units.find((unit) => unit.id === id)?.shortName ?? id;
  const rows = (listed.data ?? []).filter((row) => (row.state === "closed") === (shown === "closed"));
  return (
    <Frame here="reviews">
      <main class="sheet-page">
        <div class="page-head">
          <h1>{t("reviews.title")}</h1>
          <span class="mut">{t("reviews.lead")}</span>
        </div>
        <div class="list-tools">
          <Segmented<Shown>
            label={t("reviews.show")}
            value={shown}
            choices={[
              { value: "open", label: t("reviews.open") },
              { value: "closed", label: t("reviews.closed") },
            ]}
            onChange={setShown}
          />
        </div>
        <Listing
          resource={listed}
          rows={rows}
          lines={8}
          head={[t("reviews.lesson"), t("reviews.held"), t("reviews.due"), t("reviews.state"), t("reviews.access"), ""]}
          empty={t(shown === "open" && (listed.data ?? []).length > 0 ? "reviews.none_open" : "reviews.none")}
          row={(row) => (
            <tr key={row.id} data-review={row.id} data-state={row.state}>
              <td>
                <b>{label(row.title)}</b>
                <span class="dim sm">
                  {row.rehearsal && `${t("lessons.rehearsal")} · `}
                  {t("reviews.comments", { count: row.comments })}
                </span>
              </td>
              <td class="mut sm nw wide" data-label={t("reviews.held")}>{dateTime(row.heldAt)}</td>
              <td class="sm nw wide" data-label={t("reviews.due")}>
                {row.overdue ? (
                  <StateChip tone="bad" icon="warn">
                    {t("reviews.overdue")}
                  </StateChip>
                ) : (
                  <span class="mut">{dateTime(row.dueAt)}</span>
                )}
              </td>
              <td class="wide">
                <StateChip tone={TONES[row.state]}>{t(`review_state.${row.state}`)}</StateChip>{" "}
                {row.missing.length > 0 && row.state !== "closed" && (
                  <span class="dim sm">{t("reviews.missing", { units: row.missing.map(nameOf).join(t("list.comma")) })}</span>
                )}
              </td>
              <td class="sm nw wide mut" data-label={t("reviews.access")} data-scope={row.scope}>
                <Icon name={row.scope === "teachers" ? "lock" : row.scope === "units" ? "home" : "users"} size="sm" /> {t(`release.short.${row.scope}`)}
              </td>
              <td class="act">
                <LinkButton small href={`/review/${row.id}`}>
                  {t("reviews.look")}
                </LinkButton>
              </td>
            </tr>
          )}
        />
      </main>
    </Frame>
  );
}

void mount(ReviewsPage, "reviews.title");
