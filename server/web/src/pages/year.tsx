/** What happens to a school year: schools that are shut for days, and the turn to the next term. */

import "./lists.css";
import "../year/year.css";

import { signal } from "@preact/signals";
import { Empty, Tabs } from "../ui/components";
import { t } from "../ui/i18n";
import { mount } from "../ui/mount";
import { holds } from "../ui/session";
import { Frame } from "../ui/top";
import { Closings } from "../year/closings";
import { Members } from "../year/members";
import { NextTerm } from "../year/rollover";

type Part = "closings" | "term" | "members";

const PARTS: readonly Part[] = ["closings", "term", "members"];

const part = signal<Part>(PARTS.find((one) => one === new URLSearchParams(location.search).get("part")) ?? "closings");

function YearPage() {
  const may = holds("bureau_admin", "convenor", "principal", "academic_director");
  const show = (next: Part) => {
    part.value = next;
    const address = new URL(location.href);
    address.searchParams.set("part", next);
    history.replaceState(null, "", address);
  };
  return (
    <Frame here="year">
      <main class="sheet-page">
        <div class="page-head">
          <h1>{t("year.title")}</h1>
          <span class="mut">{t("year.lead")}</span>
        </div>
        {may && <Tabs<Part> label={t("year.title")} value={part.value} choices={PARTS.map((value) => ({ value, label: t(`year.part.${value}`) }))} onChange={show} />}
        {!may && <Empty>{t("year.not_yours")}</Empty>}
        {may && part.value === "closings" && <Closings />}
        {may && part.value === "term" && <NextTerm />}
        {may && part.value === "members" && <Members />}
      </main>
    </Frame>
  );
}

void mount(YearPage, "year.title");
