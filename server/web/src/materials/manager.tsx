/** The materials of one lesson: what there is in which version, adding, replacing, deleting. */
import "./materials.css";
import { useEffect, useRef, useState } from "preact/hooks";
import type { MaterialRow, MaterialsView } from "../generated/api";
import type { MaterialKind } from "../generated/live";
import { del, get } from "../ui/api";
import { pageAddress } from "../classroom/page-pictures";
import { Button, Empty, Failure, Field, Segmented, Select, Skeleton, StateChip, useAction } from "../ui/components";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import { useResource } from "../ui/resource";
import { dateTime } from "../ui/time";
import { GivenUp, refusalOf, type Upload, upload } from "./upload";
import { Viewer } from "./viewer";

const KINDS: readonly MaterialKind[] = ["guide_sheet", "teaching_resource", "exercise", "lesson_design"];
const TAKES = ".pdf,.png,.jpg,.jpeg,.webp,application/pdf,image/png,image/jpeg,image/webp";
const REFRESH = 10;
const MEGABYTE = 1024 * 1024;

interface Sending {
  title: string;
  part: number;
  upload: Upload;
}

export function MaterialsManager({ session }: { session: string }) {
  const path = `/api/sessions/${encodeURIComponent(session)}/materials`;
  const { data, error, slow, reload } = useResource<MaterialsView>(path, (signal) => get(path, signal), REFRESH);
  const [sending, setSending] = useState<Sending | null>(null);
  const [failure, setFailure] = useState<unknown>(undefined);
  const running = useRef<Upload | null>(null);
  useEffect(() => () => running.current?.cancel(), []);
  useEffect(() => {
    if (sending === null || sending.part < 1) return undefined;
    const timer = setInterval(reload, 1_000); // how many pages are drawn
    return () => clearInterval(timer);
  }, [sending !== null && sending.part >= 1]);

  const send = async (query: Record<string, string>, title: string, files: readonly File[]) => {
    const refusal = data && (await refusalOf(files, data));
    setFailure(refusal);
    if (refusal !== undefined) return;
    const started = upload(`${path}?${new URLSearchParams(query)}`, files, (part) => setSending((now) => now && { ...now, part }));
    running.current = started;
    setSending({ title, part: 0, upload: started });
    started.done
      .catch((problem: unknown) => {
        if (!(problem instanceof GivenUp)) setFailure(problem);
      })
      .finally(() => {
        running.current = null;
        setSending(null);
        reload();
      });
  };
  if (data === undefined) return slow ? <Skeleton lines={5} /> : <Failure error={error} retry={reload} />;
  const drawing = data.preparing.find((entry) => entry.title === sending?.title);
  return (
    <div class="materials">
      {data.materials.length === 0 && <Empty>{t(data.mayChange ? "materials.none_yet" : "materials.none")}</Empty>}
      {data.materials.length > 0 && (
        <ul class="mlist">
          {data.materials.map((row) => (
            <Row key={row.id} session={session} path={path} row={row} view={data} busy={sending !== null} send={send} changed={reload} />
          ))}
        </ul>
      )}
      {sending !== null && (
        <div class="sending" role="status" data-sending={sending.part < 1 ? "sending" : "drawing"}>
          <span class="grow">
            <b class="ell">{sending.title}</b>
            <span class="sm mut">
              {sending.part < 1
                ? t("materials.sending", { percent: Math.floor(sending.part * 100) })
                : drawing && drawing.pages > 0
                  ? t("materials.drawing", { done: drawing.done, pages: drawing.pages })
                  : t("materials.drawing_soon")}
            </span>
            <span class="bar">
              <i style={{ width: `${(sending.part < 1 ? sending.part * 0.5 : 0.5 + (drawing && drawing.pages > 0 ? (drawing.done / drawing.pages) * 0.5 : 0)) * 100}%` }} />
            </span>
          </span>
          <Button small icon="x" action="cancel-upload" onClick={() => sending.upload.cancel()}>
            {t("materials.cancel")}
          </Button>
        </div>
      )}
      <Failure error={failure} />
      {data.mayChange && sending === null && <Add view={data} send={send} />}
    </div>
  );
}

type Send = (query: Record<string, string>, title: string, files: readonly File[]) => Promise<void>;

type Version = MaterialRow["versions"][number];

interface RowProps {
  session: string;
  path: string;
  row: MaterialRow;
  view: MaterialsView;
  busy: boolean;
  send: Send;
  changed: () => void;
}

function Row({ session, path, row, view, busy, send, changed }: RowProps) {
  const [open, setOpen] = useState(false);
  const [sure, setSure] = useState(false);
  const [looking, setLooking] = useState<Version | null>(null);
  const removing = useAction();
  const [newest] = row.versions;
  if (newest === undefined) return null;
  const replace = (files: readonly File[]) => {
    const query: Record<string, string> = { kind: row.kind, title: row.title, replaces: row.id };
    void send(query, row.title, files);
  };
  return (
    <li data-material-id={row.id} data-kind={row.kind} data-versions={row.versions.length}>
      <div class="mrow">
        <button type="button" class="thumb" data-action="look-material" aria-label={t("materials.look_at", { title: row.title })} onClick={() => setLooking(newest)}>
          <img src={pageAddress(session, { version: newest.id, page: 1, small: true })} alt="" loading="lazy" />
        </button>
        <span class="grow">
          <b class="ell">{row.title}</b>
          <span class="chips">
            <StateChip tone="">{t(`materials.kind_${row.kind}`)}</StateChip>
            {row.weekly && <StateChip tone="">{t("materials.weekly")}</StateChip>}
            {row.kind === "lesson_design" && <StateChip tone="warn">{t("materials.teachers_only")}</StateChip>}
          </span>
          <span class="sm mut">{summary(newest)}</span>
        </span>
        <span class="acts">
          {view.mayChange && <FileButton small label={t("materials.replace")} action="replace-material" disabled={busy} choose={replace} />}
          <Button small icon="down" label={t("materials.versions")} onClick={() => setOpen(!open)} />
          {view.mayChange && (
            <Button
              small
              kind={sure ? "bad" : undefined}
              icon="trash"
              action="delete-material"
              busy={removing.busy}
              label={sure ? undefined : t("materials.delete")}
              onClick={() => {
                if (!sure) setSure(true);
                else
                  removing.run(async () => {
                    await del(`${path}/${encodeURIComponent(row.id)}`);
                    changed();
                  });
              }}
            >
              {sure ? t("materials.delete_sure") : undefined}
            </Button>
          )}
        </span>
      </div>
      <Failure error={removing.error} />
      {looking && <Viewer session={session} title={row.title} version={looking} onClose={() => setLooking(null)} />}
      {open && (
        <ol class="mversions">
          {row.versions.map((version) => (
            <li key={version.id}>
              <b>{t("materials.version", { n: version.number })}</b>
              <span class="sm mut grow ell">
                {summary(version)} · {version.fileName}
              </span>
              <button type="button" class="link sm nw" onClick={() => setLooking(version)}>
                {t("materials.look")}
              </button>
              {version.original && (
                <a class="sm" href={`${path}/${encodeURIComponent(version.id)}/file${location.search.includes("seat=") ? `?${new URLSearchParams({ seat: new URLSearchParams(location.search).get("seat") ?? "" })}` : ""}`} download>
                  {t("materials.save")}
                </a>
              )}
            </li>
          ))}
        </ol>
      )}
    </li>
  );
}

function summary(version: Version): string {
  const size = version.bytes >= MEGABYTE ? `${(version.bytes / MEGABYTE).toFixed(1)} MB` : `${Math.max(1, Math.round(version.bytes / 1024))} KB`;
  return [t("materials.pages", { n: version.pages.length }), size, version.addedBy, dateTime(version.addedAt)].join(" · ");
}

function Add({ view, send }: { view: MaterialsView; send: Send }) {
  const [kind, setKind] = useState<MaterialKind>("guide_sheet");
  const [title, setTitle] = useState("");
  const [weekly, setWeekly] = useState(view.rehearsal ? "weekly" : "day");
  const choose = (files: readonly File[]) => {
    const [first] = files;
    if (first === undefined) return;
    const name = title.trim() || first.name.replace(/\.[^.]*$/, "").slice(0, 120) || t(`materials.kind_${kind}`);
    const query: Record<string, string> = { kind, title: name };
    if (weekly === "weekly") query["weekly"] = "1";
    void send(query, name, files);
    setTitle("");
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    choose([...(event.dataTransfer?.files ?? [])]);
  };
  return (
    <div class="madd" onDragOver={(event) => event.preventDefault()} onDrop={drop}>
      <div class="mform">
        <Select label={t("materials.kind")} value={kind} choices={KINDS.map((value) => ({ value, label: t(`materials.kind_${value}`) }))} onChange={(value) => setKind(KINDS.find((known) => known === value) ?? kind)} />
        {!view.rehearsal && (
          <Segmented
            label={t("materials.for")}
            value={weekly}
            choices={[
              { value: "day", label: t("materials.this_day") },
              { value: "weekly", label: t("materials.weekly") },
            ]}
            onChange={setWeekly}
          />
        )}
      </div>
      <Field label={t("materials.name")} hint={t("materials.name_hint")}>
        <input class="input" name="title" maxLength={120} value={title} onInput={(event) => setTitle(event.currentTarget.value)} />
      </Field>
      <div class="row">
        <FileButton label={t("materials.add")} action="add-material" primary choose={choose} />
        <span class="xs dim grow">{t("materials.takes", { megabytes: view.mostMegabytes, pages: view.mostPages })}</span>
      </div>
    </div>
  );
}

interface FileButtonProps {
  label: string;
  action: string;
  small?: boolean;
  primary?: boolean;
  disabled?: boolean;
  choose: (files: readonly File[]) => void;
}

/** The browser's own file dialog behind a button of ours. */
function FileButton({ label, action, small, primary, disabled, choose }: FileButtonProps) {
  return (
    <label class="filebutton">
      <input
        type="file"
        accept={TAKES}
        multiple
        disabled={disabled}
        data-action={action}
        aria-label={label}
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = "";
          if (files.length > 0) choose(files);
        }}
      />
      <span class={["btn", small && "s", primary && "pri"].filter(Boolean).join(" ")} aria-disabled={disabled ? "true" : undefined}>
        <Icon name="upload" size="sm" />
        {label}
      </span>
    </label>
  );
}
