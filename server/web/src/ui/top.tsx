/** The bar at the top of every page of paper: where one is, where one can go, the language, and who one is. */

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Failure, Menu, Skeleton } from "./components";
import { Icon, type IconName, Mark } from "./icons";
import { t } from "./i18n";
import { LanguageSwitch } from "./languages";
import { chooseCommunity, community, holds, me, requireMe, signOut } from "./session";

export type Place = "today" | "timetable" | "lessons" | "reviews" | "rooms" | "people" | "import" | "year" | "consents";

interface Entry {
  place: Place;
  href: string;
  icon: IconName;
}

const MAIN: readonly Entry[] = [
  { place: "today", href: "/", icon: "home" },
  { place: "timetable", href: "/timetable", icon: "cal" },
  { place: "lessons", href: "/lessons", icon: "sync" },
  { place: "reviews", href: "/reviews", icon: "joint" },
];

/** Pages of those who run a school or the county. */
function desk(): Entry[] {
  const entries: Entry[] = [];
  if (holds("academic_director", "principal", "bureau_admin")) entries.push({ place: "rooms", href: "/rooms", icon: "panel" });
  if (holds("academic_director", "principal", "bureau_admin")) entries.push({ place: "people", href: "/people", icon: "users" });
  if (holds("academic_director", "convenor", "bureau_admin")) entries.push({ place: "import", href: "/import", icon: "upload" });
  if (holds("academic_director", "principal", "convenor", "bureau_admin")) entries.push({ place: "year", href: "/year", icon: "cal" });
  if (holds("academic_director", "principal", "convenor", "bureau_admin")) entries.push({ place: "consents", href: "/consents", icon: "camoff" });
  return entries;
}

function NavLink({ entry, here, count }: { entry: Entry; here: Place; count?: number }) {
  return (
    <a href={entry.href} aria-current={entry.place === here ? "page" : undefined}>
      <Icon name={entry.icon} />
      <span>{t(`nav.${entry.place}`)}</span>
      {count ? <b class="count">{count}</b> : null}
    </a>
  );
}

function CommunityChooser() {
  const here = community.value;
  const all = me.value?.communities ?? [];
  if (here === null) return null;
  if (all.length < 2) return <span class="where">{here.name}</span>;
  return (
    <Menu
      class="where"
      label={t("top.community", { name: here.name })}
      button={
        <>
          <span class="ell">{here.name}</span>
          <Icon name="down" size="sm" />
        </>
      }
    >
      {all.map((one) => (
        <button type="button" class="menu-item" aria-current={one.id === here.id ? "true" : undefined} onClick={() => chooseCommunity(one.id)}>
          {one.name}
          <span class="dim sm">{t(`mode.${one.mode}`)}</span>
        </button>
      ))}
    </Menu>
  );
}

function Account() {
  const person = me.value;
  if (person === null) return null;
  return (
    <Menu
      class="me"
      label={t("top.account", { name: person.name })}
      button={
        <>
          <b class="av">{person.name.slice(-1)}</b>
          <span class="me-name">{person.name}</span>
          <span class="me-unit dim sm ell">{person.unitName}</span>
        </>
      }
    >
      <p class="menu-note">
        <b>{person.name}</b>
        {person.unitName && <span class="dim sm">{person.unitName}</span>}
        <span class="dim sm">{[...new Set(person.grants.map((grant) => t(`role.${grant.role}`)))].join(" · ")}</span>
      </p>
      <div class="menu-desk">
        {desk().map((entry) => (
          <a class="menu-item" href={entry.href}>
            <Icon name={entry.icon} size="sm" />
            {t(`nav.${entry.place}`)}
          </a>
        ))}
      </div>
      <button type="button" class="menu-item" onClick={() => void signOut()}>
        <Icon name="out" size="sm" />
        {t("top.sign_out")}
      </button>
    </Menu>
  );
}

/** Past the bar and the tools, to the first thing of the page itself that takes the focus. */
function skip(): void {
  const main = document.querySelector<HTMLElement>("main");
  const first = main?.querySelector<HTMLElement>('[data-lesson][tabindex="0"], a[href], button:not([disabled]), input:not([disabled]), select:not([disabled])');
  (first ?? main)?.focus();
}

export function TopBar({ here, count }: { here: Place; count?: number }) {
  return (
    <header class="top">
      <button type="button" class="skip" data-action="skip" onClick={skip}>
        {t("top.skip")}
      </button>
      <a class="brand" href="/">
        <Mark />
        <span>{t("brand")}</span>
      </a>
      <CommunityChooser />
      <nav class="nav" aria-label={t("nav.label")}>
        {MAIN.map((entry) => (
          <NavLink key={entry.place} entry={entry} here={here} count={entry.place === "today" ? count : undefined} />
        ))}
        <span class="nav-desk">
          {desk().map((entry) => (
            <NavLink key={entry.place} entry={entry} here={here} />
          ))}
        </span>
      </nav>
      <div class="end">
        <LanguageSwitch />
        <Account />
      </div>
    </header>
  );
}

export interface FrameProps {
  here: Place;
  /** Things that wait for the person, beside "Today". */
  count?: number;
  children: ComponentChildren;
}

/** The top bar, and below it a page for a signed-in person. */
export function Frame({ here, count, children }: FrameProps) {
  const [error, setError] = useState<unknown>();
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    setError(undefined);
    requireMe().catch(setError);
  }, [turn]);
  return (
    <>
      <TopBar here={here} count={count} />
      {error !== undefined ? (
        <div class="sheet-page">
          <Failure error={error} retry={() => setTurn(turn + 1)} />
        </div>
      ) : me.value === null ? (
        <div class="sheet-page">
          <Skeleton />
        </div>
      ) : (
        children
      )}
    </>
  );
}
