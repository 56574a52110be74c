/** The ledger of concessions: who gave way, how often, for what. */

import type { LedgerRow, LedgerView } from "../generated/api";
import { get } from "../ui/api";
import { Failure, Skeleton } from "../ui/components";
import { t } from "../ui/i18n";
import { useResource } from "../ui/resource";
import type { Table } from "./table";

const gaveWay = (row: LedgerRow) => row.unwelcome + row.yielded + row.agreed;

export function Ledger({ table }: { table: Table }) {
  const { community, status, version, revision } = table.view;
  const shown = status === "published" ? String(version) : "draft";
  const path = `/api/communities/${encodeURIComponent(community.id)}/ledger?version=${shown}`;
  const loaded = useResource<LedgerView>(`${path}#${revision}`, (signal) => get(path, signal));
  if (loaded.data === undefined) return loaded.error ? <Failure error={loaded.error} retry={loaded.reload} /> : loaded.slow ? <Skeleton lines={4} /> : null;
  const { rows } = loaded.data;
  const most = Math.max(1, ...rows.map(gaveWay));
  return (
    <section class="ledger" data-state="ledger">
      <h3 class="h">{t("ledger.title")}</h3>
      <p class="xs dim">{t("ledger.means")}</p>
      <ul class="brk2">
        {rows.map((row) => (
          <li key={row.unit} data-unit={row.unit}>
            <span class="grow">
              <b>{table.unitShort(row.unit)}</b>
              <small>{reasons(row)}</small>
            </span>
            <i style={{ width: `${(gaveWay(row) / most) * 64}px` }} />
            <b>{t("ledger.times", { count: gaveWay(row) })}</b>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What was conceded and what was got, as far as there is something to say. */
function reasons(row: LedgerRow): string {
  return [
    (row.unwelcome > 0 || row.fairShare > 0) && t("ledger.unwelcome", { count: row.unwelcome, share: row.fairShare }),
    row.yielded > 0 && t("ledger.yielded", { count: row.yielded }),
    row.agreed > 0 && t("ledger.agreed", { count: row.agreed }),
    row.met + row.granted > 0 && t("ledger.got", { count: row.met + row.granted }),
    t("ledger.leftover", { minutes: row.leftoverMinutes, count: row.shared }),
  ]
    .filter(Boolean)
    .join(" · ");
}
