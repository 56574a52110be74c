/** The heading of a printed table: whose it is, which version, which week. A draft says that it is one. */

import { t } from "../ui/i18n";
import { longDate, weekLabel } from "../ui/time";
import type { Table } from "./table";

export function PrintHead({ table, title, week }: { table: Table; title: string; week: number }) {
  const { term, negotiation, status, version } = table.view;
  const state = status === "published" ? t("tools.published", { number: version }) : t("print.draft", { draft: negotiation?.draft ?? "" });
  return (
    <div class="wall-head">
      <h1>
        {title} {t("print.table")}
      </h1>
      <span>
        {term.name} · {state} · {weekLabel(week)}
      </span>
      <span>{t("print.printed", { date: longDate(term.today) })}</span>
    </div>
  );
}
