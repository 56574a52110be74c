/** What the colours, hatches and icons mean. */

import { Icon } from "../ui/icons";
import { t } from "../ui/i18n";
import { STATE_ICONS } from "./table";

const KINDS = [
  { tone: "k-sync", icon: "sync", key: "kind.sync" },
  { tone: "k-ded", icon: "ded", key: "kind.dedicated" },
  { tone: "k-joint", icon: "joint", key: "legend.joint" },
] as const;
const STATES = ["proposed", "objected", "agreed", "published"] as const;
const DATED = ["moved", "substituted", "cancelled", "made_up"] as const;

/** `dated`: what is drawn are dates, on which lessons change, not a draft that schools agree on. */
export function Legend({ dated }: { dated: boolean }) {
  return (
    <footer class="leg">
      <span class="row">
        {KINDS.map(({ tone, icon, key }) => (
          <span class={`chip ${tone}`} key={key}>
            <Icon name={icon} size="sm" />
            {t(key)}
          </span>
        ))}
      </span>
      <i class="sw" />
      <span class="row sm mut">
        <i class="x1" />
        {t("legend.shared")}
      </span>
      <span class="row sm mut">
        <i class="x2" />
        {t("legend.leftover")}
      </span>
      <span class="row sm mut">
        <i class="x3" />
        {t("legend.period")}
      </span>
      <span class="row sm mut">
        <b class="x4">{t("clock.host_letter")}</b>
        {t("legend.host")}
      </span>
      <i class="sw" />
      <span class="row sm mut">
        {(dated ? DATED : STATES).map((state) => {
          const icon = STATE_ICONS[state];
          return (
            <span class="nw" key={state}>
              {icon && <Icon name={icon} size="sm" />} {t(`state.${state}`)}
            </span>
          );
        })}
      </span>
    </footer>
  );
}
