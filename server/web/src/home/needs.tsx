/** What waits for the person, the most urgent first, each with the way to settle it. */

import type { Need } from "../generated/api";
import { Empty, LinkButton } from "../ui/components";
import { Icon, type IconName } from "../ui/icons";
import { has, t, type Values } from "../ui/i18n";
import { label } from "../ui/names";
import { dayDate } from "../ui/time";

const ICONS: Record<Need["code"], IconName> = {
  consent_missing: "dots",
  objection: "flag",
  amendment_asked: "swap",
  schools_closed: "ban",
  review_overdue: "joint",
  review_open: "joint",
  lesson_live: "cam",
  table_missing: "cal",
  build_interrupted: "warn",
  disk_filling: "warn",
};
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const URGENCY = { bad: 0, warn: 1, info: 2 };

/** An answer that is missing from the person's own school reads otherwise than one from another school. */
function sentenceOf(need: Need): string {
  return need.code === "consent_missing" && need.severity === "info" ? "need.consent_missing_elsewhere" : `need.${need.code}`;
}

function localized(values: Need["values"]): Values {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, typeof value !== "string" ? value : DATE.test(value) ? dayDate(value) : label(value)]));
}

export function Needs({ needs }: { needs: readonly Need[] }) {
  const sorted = [...needs].sort((a, b) => URGENCY[a.severity] - URGENCY[b.severity]);
  const worst = sorted[0]?.severity;
  return (
    <section class="card needs">
      <div class="row hd">
        <h2>{t("needs.title")}</h2>
        {needs.length > 0 && <span class={`count ${worst === "info" ? "" : worst}`}>{needs.length}</span>}
      </div>
      {needs.length === 0 ? (
        <Empty>{t("needs.none")}</Empty>
      ) : (
        <ul>
          {sorted.map((need) => {
            const values = localized(need.values);
            const key = sentenceOf(need);
            const more = t(`${key}.more`, values);
            return (
              <li class="nd" data-need={need.code}>
                <span class={`ni ${need.severity}`}>
                  <Icon name={ICONS[need.code]} />
                </span>
                <span class="grow">
                  <b>{t(key, values)}</b>
                  {has(`${key}.more`) && !more.includes("{") && <span class="sm mut ell">{more}</span>}
                </span>
                {need.link && (
                  <LinkButton small kind={need.severity === "bad" ? "pri" : undefined} href={need.link}>
                    {t(`${key}.act`)}
                  </LinkButton>
                )}
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}
