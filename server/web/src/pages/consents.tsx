/** The consent of classes to being recorded: all that one speaks for, and one of them with what withdrawing comes to. */

import "./lists.css";
import "../consent/consent.css";

import { useMemo, useState } from "preact/hooks";
import type { ClassConsentRow } from "../generated/api";
import { OneClass } from "../consent/class";
import { ConsentState } from "../consent/state";
import { get } from "../ui/api";
import { Button, Empty, LinkButton, StateChip } from "../ui/components";
import { bringTexts, t } from "../ui/i18n";
import { Listing } from "../ui/listing";
import { mount } from "../ui/mount";
import { label } from "../ui/names";
import { useResource } from "../ui/resource";
import { holds, me } from "../ui/session";
import { Frame } from "../ui/top";

/** A bureau has hundreds of classes; a school has a screenful. */
const SEARCHED_FROM = 12;
const PAGE = 60;

const [, , chosen] = location.pathname.split("/");

function ConsentsPage() {
  const may = me.value !== null && holds("academic_director", "principal", "convenor", "bureau_admin");
  return (
    <Frame here="consents">
      <main class="sheet-page">{!may ? <Empty>{t("consents.not_yours")}</Empty> : chosen ? <OneClass id={decodeURIComponent(chosen)} /> : <Classes />}</main>
    </Frame>
  );
}

function Classes() {
  const listed = useResource<ClassConsentRow[]>("consents", (signal) => get("/api/consents", signal));
  const [wanted, setWanted] = useState("");
  const [limit, setLimit] = useState(PAGE);
  const all = listed.data ?? [];
  const found = useMemo(() => {
    const text = wanted.trim().toLowerCase();
    return all.filter((row) => [row.className, label(row.className), row.unitName].some((field) => field.toLowerCase().includes(text)));
  }, [all, wanted]);
  const schools = new Set(all.map((row) => row.unit)).size;
  return (
    <>
      <div class="page-head">
        <h1>{t("consents.title")}</h1>
        <span class="mut">{t("consents.lead")}</span>
      </div>
      {all.length > SEARCHED_FROM && (
        <div class="list-tools">
          <input class="input search" type="search" aria-label={t("consents.search")} placeholder={t("consents.search")} value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} />
        </div>
      )}
      <Listing
        resource={listed}
        rows={found.slice(0, limit)}
        lines={8}
        head={[t("consents.class"), t("consents.recordings"), t("consents.state"), ""]}
        empty={t(all.length > 0 ? "consents.none_found" : "consents.none")}
        row={(row) => (
          <tr key={row.id} data-class={row.id} data-agreed={row.agreed} data-left={row.left}>
            <td>
              <b>
                {label(row.className)} {row.left && <StateChip tone="silent">{t("consents.left")}</StateChip>}
              </b>
              {schools > 1 && <span class="dim sm">{row.unitName}</span>}
            </td>
            <td class="sm mut nw wide" data-label={t("consents.recordings")}>
              {row.recordings > 0 ? t("consents.count", { n: row.recordings }) : t("consents.count_none")}
            </td>
            <td class="wide">
              <ConsentState row={row} />
            </td>
            <td class="act">
              <LinkButton small action="open-consent" href={`/consents/${encodeURIComponent(row.id)}`}>
                {t("consents.open")}
              </LinkButton>
            </td>
          </tr>
        )}
      >
        {found.length > limit && (
          <div class="more">
            <Button action="more" onClick={() => setLimit(limit + PAGE)}>
              {t("consents.more", { count: Math.min(PAGE, found.length - limit) })}
            </Button>
          </div>
        )}
      </Listing>
    </>
  );
}

bringTexts({
  "zh-CN": () => import("virtual:locale/consents.zh-CN"),
  en: () => import("virtual:locale/consents.en"),
});
void mount(ConsentsPage, "consents.title");
