/** Bringing the schools' sheets in: check first, see everything that is wrong at once, then import. */

import "./lists.css";

import { useState } from "preact/hooks";
import type { Finding, ImportView } from "../generated/api";
import { call } from "../ui/api";
import { Button, Failure, Note, StateChip, useAction } from "../ui/components";
import { findingText } from "../ui/findings";
import { has, t } from "../ui/i18n";
import { mount } from "../ui/mount";
import { Frame } from "../ui/top";

type Step = "check" | "import" | "good_rows";

/** More would be slow to paint, and nobody corrects so many at a time. */
const SHOWN = 200;
const QUERIES: Record<Step, string> = { check: "?check=1", import: "", good_rows: "?good_rows=1" };

function ImportPage() {
  const [files, setFiles] = useState<File[]>([]);
  const [result, setResult] = useState<ImportView | null>(null);
  const { busy, error, run } = useAction();
  const send = (step: Step) =>
    run(async () => {
      const form = new FormData();
      for (const file of files) form.append("files", file, file.name);
      setResult(await call<ImportView>("POST", `/api/import${QUERIES[step]}`, { form }));
    });
  const errors = result?.findings.filter((finding) => finding.severity !== "warning").length ?? 0;
  const checked = result !== null && !result.imported;
  return (
    <Frame here="import">
      <main class="sheet-page">
        <div class="page-head">
          <h1>{t("import_page.title")}</h1>
          <span class="mut">{t("import_page.lead")}</span>
        </div>
        <section class="card box">
          <div class="file-line">
            <label>
              <input
                type="file"
                multiple
                accept=".xlsx,.xlsm,.xls,.ods,.csv,.txt,.json,.zip"
                onChange={(event) => {
                  setFiles([...(event.currentTarget.files ?? [])]);
                  setResult(null);
                }}
              />
              <span class="btn">{t("import_page.files")}</span>
            </label>
            {files.length > 0 && <b class="sm">{t("import_page.chosen", { count: files.length })}</b>}
            <span class="file-names grow ell">{files.map((file) => file.name).join(t("list.comma"))}</span>
            {files.length > 0 && !checked && !result?.imported && (
              <Button kind="pri" busy={busy} action="check-import" onClick={() => send("check")}>
                {t("import_page.check")}
              </Button>
            )}
            {checked && errors === 0 && (
              <Button kind="pri" busy={busy} action="import" onClick={() => send("import")}>
                {t("import_page.run")}
              </Button>
            )}
            {checked && errors > 0 && (
              <Button busy={busy} action="import-good-rows" onClick={() => send("good_rows")}>
                {t("import_page.good_rows")}
              </Button>
            )}
          </div>
          <Failure error={error} />
          {result && <Outcome result={result} errors={errors} />}
        </section>
        {result && result.findings.length > 0 && <Findings findings={result.findings} />}
      </main>
    </Frame>
  );
}

function Outcome({ result, errors }: { result: ImportView; errors: number }) {
  const warnings = result.findings.length - errors;
  const dropped = Object.entries(result.dropped).filter(([, rows]) => rows > 0);
  return (
    <>
      {result.imported ? (
        <Note tone="ok">{t("import_page.done")}</Note>
      ) : errors > 0 ? (
        <Note tone="bad">
          {t("import_page.found", { errors, warnings })} {t("import_page.good_rows_means")}
        </Note>
      ) : (
        <Note tone="ok">{warnings > 0 ? t("import_page.warnings_only", { warnings }) : t("import_page.clean")}</Note>
      )}
      <Counts title={t("import_page.rows")} counts={Object.entries(result.counts)} />
      <Counts title={t("import_page.dropped")} counts={dropped} />
    </>
  );
}

const sheetName = (sheet: string) => (has(`sheet.${sheet}`) ? t(`sheet.${sheet}`) : sheet);

function Counts({ title, counts }: { title: string; counts: [string, number][] }) {
  if (counts.length === 0) return null;
  return (
    <p class="counts">
      <span class="dim">{title}</span>
      {counts.map(([sheet, rows]) => (
        <span key={sheet}>
          {sheetName(sheet)} <b>{rows}</b>
        </span>
      ))}
    </p>
  );
}

function Findings({ findings }: { findings: readonly Finding[] }) {
  const sorted = [...findings].sort((a, b) => Number(a.severity === "warning") - Number(b.severity === "warning"));
  return (
    <section class="card">
      <table class="list">
        <thead>
          <tr>
            <th />
            <th>{t("import_page.where")}</th>
            <th>{t("import_page.what")}</th>
          </tr>
        </thead>
        <tbody>
          {sorted.slice(0, SHOWN).map((finding) => {
            const severity = finding.severity ?? "error";
            return (
              <tr data-finding={finding.code}>
                <td>
                  <StateChip tone={severity === "error" ? "bad" : "warn"} icon="warn">
                    {t(`import_page.severity.${severity}`)}
                  </StateChip>
                </td>
                <td class="sm wide">
                  {[finding.file, finding.sheet && sheetName(finding.sheet), finding.row ? t("import_page.row", { row: finding.row }) : "", finding.field].filter(Boolean).join(" · ")}
                </td>
                <td class="wide">{findingText(finding)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {findings.length > SHOWN && <p class="more dim sm">{t("import_page.more", { count: SHOWN })}</p>}
    </section>
  );
}

void mount(ImportPage, "import_page.title");
