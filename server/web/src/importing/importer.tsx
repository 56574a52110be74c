/** Bringing files in, in two steps: look at what they would do and everything that is wrong with them, then take them. */

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Finding } from "../generated/api";
import { call } from "../ui/api";
import { Button, Failure, Note, StateChip, useAction } from "../ui/components";
import { findingText } from "../ui/findings";
import { has, t } from "../ui/i18n";

type Step = "check" | "import" | "good_rows";

/** What every import answers. */
export interface Outcome {
  findings: readonly Finding[];
  imported: boolean;
}

/** More would be slow to paint, and nobody corrects so many at a time. */
const SHOWN = 200;
const QUERIES: Record<Step, Record<string, string>> = { check: { check: "1" }, import: {}, good_rows: { good_rows: "1" } };

export interface ImporterProps<R extends Outcome> {
  lead: string;
  accept: string;
  multiple: boolean;
  /** Where the files go, with its query; null while something is not chosen yet. */
  address: string | null;
  /** Whether sound rows may be taken beside faulty ones. */
  goodRows: boolean;
  /** Whether anything was found that could be taken. */
  some: (result: R) => boolean;
  /** What has to be chosen beside the files. */
  fields?: ComponentChildren;
  /** Shown beside the choice of files. */
  beside?: ComponentChildren;
  /** What the files would do, or did. */
  summary: (result: R) => ComponentChildren;
}

export function Importer<R extends Outcome>({ lead, accept, multiple, address, goodRows, some, fields, beside, summary }: ImporterProps<R>) {
  const [files, setFiles] = useState<File[]>([]);
  const [result, setResult] = useState<R | null>(null);
  const { busy, error, run, clear } = useAction();
  // what was looked at was for another place
  useEffect(() => setResult(null), [address]);
  const send = (step: Step) =>
    run(async () => {
      if (address === null) return;
      const [path, query] = [address.split("?")[0], new URLSearchParams(address.split("?")[1])];
      for (const [name, value] of Object.entries(QUERIES[step])) query.set(name, value);
      const form = new FormData();
      for (const file of files) form.append("files", file, file.name);
      setResult(await call<R>("POST", `${path}?${query}`, { form }));
    });
  const errors = result?.findings.filter((finding) => finding.severity !== "warning").length ?? 0;
  const checked = result !== null && !result.imported;
  const part = goodRows && result !== null && some(result);
  const ready = files.length > 0 && address !== null;
  return (
    <>
      <section class="card box">
        <p class="mut sm">{lead}</p>
        {fields && <div class="import-fields">{fields}</div>}
        <div class="file-line">
          <label>
            <input
              type="file"
              multiple={multiple}
              accept={accept}
              onChange={(event) => {
                setFiles([...(event.currentTarget.files ?? [])]);
                // the same file, mended, may be chosen again
                event.currentTarget.value = "";
                setResult(null);
                clear();
              }}
            />
            <span class="btn">{t(multiple ? "import_page.files" : "import_page.file")}</span>
          </label>
          {files.length > 0 && <b class="sm">{t("import_page.chosen", { count: files.length })}</b>}
          <span class="file-names grow ell">{files.map((file) => file.name).join(t("list.comma"))}</span>
          {files.length === 0 && beside}
          {ready && result === null && (
            <Button kind="pri" busy={busy} action="check-import" onClick={() => send("check")}>
              {t("import_page.check")}
            </Button>
          )}
          {ready && checked && errors === 0 && (
            <Button kind="pri" busy={busy} action="import" onClick={() => send("import")}>
              {t("import_page.run")}
            </Button>
          )}
          {ready && checked && errors > 0 && part && (
            <Button busy={busy} action="import-good-rows" onClick={() => send("good_rows")}>
              {t("import_page.good_rows")}
            </Button>
          )}
        </div>
        <Failure error={error} />
        {result && <Verdict result={result} errors={errors} goodRows={part} />}
        {result && (errors === 0 || some(result)) && summary(result)}
      </section>
      {result && result.findings.length > 0 && <Findings findings={result.findings} />}
    </>
  );
}

function Verdict({ result, errors, goodRows }: { result: Outcome; errors: number; goodRows: boolean }) {
  const warnings = result.findings.length - errors;
  if (result.imported) return <Note tone="ok">{t("import_page.done")}</Note>;
  if (errors === 0) return <Note tone="ok">{warnings > 0 ? t("import_page.warnings_only", { warnings }) : t("import_page.clean")}</Note>;
  return (
    <Note tone="bad">
      {t("import_page.found", { errors, warnings })} {t(goodRows ? "import_page.good_rows_means" : "import_page.nothing_taken")}
    </Note>
  );
}

const sheetName = (sheet: string) => (has(`sheet.${sheet}`) ? t(`sheet.${sheet}`) : sheet);

export function Counts({ title, counts }: { title: string; counts: readonly (readonly [string, number])[] }) {
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
