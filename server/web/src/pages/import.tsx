/** Bringing things in: check first, see everything that is wrong at once, then take it. */

import "./lists.css";

import { useState } from "preact/hooks";
import { CalendarImport, FetImport, OwnTableImport, RegisterImport } from "../importing/kinds";
import { Note, Tabs } from "../ui/components";
import { t } from "../ui/i18n";
import { mount } from "../ui/mount";
import { holds, me } from "../ui/session";
import { Frame } from "../ui/top";

const KINDS = ["register", "own", "calendar", "fet"] as const;
type Kind = (typeof KINDS)[number];

function asked(): Kind {
  const kind = new URLSearchParams(location.search).get("kind");
  return KINDS.find((one) => one === kind) ?? "register";
}

function ImportPage() {
  const [kind, setKind] = useState(asked);
  const permitted = me.value === null || holds("academic_director", "convenor", "bureau_admin");
  // a school joins the county by the bureau's hand only
  const kinds = KINDS.filter((one) => one !== "fet" || holds("bureau_admin"));
  const show = (next: Kind) => {
    setKind(next);
    const address = new URL(location.href);
    address.searchParams.set("kind", next);
    history.replaceState(null, "", address);
  };
  const shown = kinds.includes(kind) ? kind : "register";
  return (
    <Frame here="import">
      <main class="sheet-page">
        <div class="page-head">
          <h1>{t("import_page.title")}</h1>
        </div>
        {permitted ? (
          <>
            <Tabs<Kind> label={t("import_page.kinds")} value={shown} choices={kinds.map((value) => ({ value, label: t(`import_page.kind.${value}`) }))} onChange={show} />
            {shown === "register" && <RegisterImport />}
            {shown === "own" && <OwnTableImport />}
            {shown === "calendar" && <CalendarImport />}
            {shown === "fet" && <FetImport />}
          </>
        ) : (
          <section class="card box" data-state="not-permitted">
            <Note tone="info">{t("import_page.not_permitted")}</Note>
          </section>
        )}
      </main>
    </Frame>
  );
}

void mount(ImportPage, "import_page.title");
