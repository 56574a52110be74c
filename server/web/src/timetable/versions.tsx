/** The published versions in the side panel: what each changed, and going back to look at it. */

import { useState } from "preact/hooks";
import { Button, Empty, StateChip } from "../ui/components";
import { t } from "../ui/i18n";
import { label } from "../ui/names";
import { dateTime, longDate } from "../ui/time";
import { go } from "./place";
import type { Table } from "./table";
import { VersionDiff } from "./version-diff";

export function VersionsPanel({ table }: { table: Table }) {
  const { versions, version, status } = table.view;
  const [opened, setOpened] = useState<number | null>(null);
  const shown = status === "published" ? version : null;
  const newestFirst = [...versions].sort((a, b) => b.number - a.number);
  if (versions.length === 0) return <Empty>{t("versions.none")}</Empty>;
  return (
    <div class="pb">
      <div class="pt0">
        <h2>{t("versions.title")}</h2>
        <p class="mut sm">{t("versions.lead")}</p>
      </div>
      <ul>
        {newestFirst.map((row, index) => (
          <li class="ng" key={row.number}>
            <div class="row">
              <b class="grow">{t("versions.number", { number: row.number })}</b>
              {row.number === shown ? (
                <StateChip tone="published" icon="eye">
                  {t("versions.shown")}
                </StateChip>
              ) : (
                <Button small onClick={() => go({ version: String(row.number) })}>
                  {t("versions.show")}
                </Button>
              )}
            </div>
            <p class="sm mut">
              {dateTime(row.at)} · {label(row.author)}
              {row.validFrom !== null && ` · ${t("versions.from", { date: longDate(row.validFrom) })}`}
            </p>
            <button
              type="button"
              class="link sm"
              aria-expanded={opened === row.number}
              data-action="version-diff"
              onClick={() => setOpened(opened === row.number ? null : row.number)}
            >
              {t("versions.change", { added: row.added, moved: row.moved, cancelled: row.cancelled })}
            </button>
            {opened === row.number && <VersionDiff community={table.view.community.id} term={table.view.termId} number={row.number} before={newestFirst[index + 1]?.number ?? null} />}
          </li>
        ))}
      </ul>
    </div>
  );
}
