/** The people of the schools one leads: who they are and what they may do. */

import "./lists.css";

import { useMemo, useState } from "preact/hooks";
import type { PersonRow } from "../generated/api";
import { get } from "../ui/api";
import { Button, StateChip } from "../ui/components";
import { t } from "../ui/i18n";
import { Listing } from "../ui/listing";
import { mount } from "../ui/mount";
import { label } from "../ui/names";
import { useResource } from "../ui/resource";
import { me } from "../ui/session";
import { Frame } from "../ui/top";

/** Rows painted at once: a county has more than a thousand people. */
const PAGE = 60;

function PeoplePage() {
  const listed = useResource<PersonRow[]>(me.value && "people", (signal) => get("/api/people", signal));
  const [wanted, setWanted] = useState("");
  const [limit, setLimit] = useState(PAGE);
  const found = useMemo(() => {
    const text = wanted.trim().toLowerCase();
    return (listed.data ?? []).filter((row) => [row.name, label(row.name), row.login, row.unitName].some((field) => field.toLowerCase().includes(text)));
  }, [listed.data, wanted]);
  return (
    <Frame here="people">
      <main class="sheet-page">
        <div class="page-head">
          <h1>{t("people.title")}</h1>
          {listed.data && <span class="mut">{t("people.count", { count: found.length })}</span>}
        </div>
        <div class="list-tools">
          <input
            class="input search"
            type="search"
            aria-label={t("people.search")}
            placeholder={t("people.search")}
            value={wanted}
            onInput={(event) => {
              setWanted(event.currentTarget.value);
              setLimit(PAGE);
            }}
          />
        </div>
        <Listing
          resource={listed}
          rows={found.slice(0, limit)}
          lines={10}
          head={[t("people.name"), t("people.login"), t("people.unit"), t("people.roles")]}
          empty={t("people.none")}
          row={(row) => (
            <tr key={row.id} class={row.active ? "" : "off"}>
              <td>
                <b>{label(row.name)}</b>
              </td>
              <td class="mut sm">{row.login}</td>
              <td class="wide">{row.unitName}</td>
              <td class="wide">
                <span class="chips">
                  {[...new Set(row.grants.map((grant) => grant.role))].map((role) => (
                    <span class="chip" key={role}>
                      {t(`role.${role}`)}
                    </span>
                  ))}
                  {!row.active && <StateChip tone="cancelled">{t("people.inactive")}</StateChip>}
                </span>
              </td>
            </tr>
          )}
        >
          {found.length > limit && (
            <div class="more">
              <Button onClick={() => setLimit(limit + PAGE)}>{t("people.more", { count: Math.min(PAGE, found.length - limit) })}</Button>
            </div>
          )}
        </Listing>
      </main>
    </Frame>
  );
}

void mount(PeoplePage, "people.title");
