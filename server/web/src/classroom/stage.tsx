/** The host's board: what is open, its pages to turn, and the pens; and the tray that materials are opened from. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Material } from "../generated/live";
import { Button, Dialog } from "../ui/components";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import { later } from "../ui/later";
import { BLANK, partsOf, stepFrom, strokesOn } from "./board";
import type { Classroom } from "./classroom";
import { pageAddress } from "./page-pictures";
import type { Room } from "./room";
import { PenTools, Sheet, usePens } from "./sheet";
import { titleOf } from "./paper";

/** Only hosts need it, and seldom. */
const MaterialsManager = later(() => import("../materials/manager").then((module) => module.MaterialsManager), 5);

export function Stage({ classroom, room }: { classroom: Classroom; room: Room }) {
  const { shown } = room.snapshot.board;
  const [pens, change] = usePens("none");
  const box = useRef<HTMLElement>(null);
  const aim = useRef<{ page: number; part: number } | null>(null);
  const open = shown !== null;
  const turn = (to: { page: number; part: number } | undefined) => {
    const now = classroom.room.value?.snapshot.board.shown;
    if (!now || !to || to.page < 1 || to.page > now.material.pages.length) return;
    aim.current = to;
    void classroom.tell({ t: "turn_page", version: now.material.version, ...to }).then(() => {
      if (aim.current === to) aim.current = null;
    });
  };
  /** Two quick presses are two steps, though the rooms have not turned yet. */
  const step = (by: number) => {
    const now = classroom.room.value?.snapshot.board.shown;
    if (now) turn(stepFrom({ ...now, ...aim.current }, by));
  };
  const newest = useRef({ turn, step });
  newest.current = { turn, step };
  useEffect(() => {
    if (!open) return undefined;
    const press = (event: KeyboardEvent) => {
      const now = classroom.room.value?.snapshot.board.shown;
      if (!now || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.target instanceof HTMLElement && event.target.closest("input, textarea, select, dialog, [contenteditable]")) return;
      const here = event.target instanceof Node && box.current?.contains(event.target);
      const by = { PageDown: 1, PageUp: -1, ...(here ? { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 } : {}) }[event.key];
      const end = here ? { Home: 1, End: now.material.pages.length }[event.key] : undefined;
      if (by === undefined && end === undefined) return;
      event.preventDefault();
      if (by !== undefined) newest.current.step(by);
      else if (end !== undefined) newest.current.turn({ page: end, part: 0 });
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [open]);
  if (shown === null) return null;
  const { material, page, part } = shown;
  const pages = material.pages.length;
  const parts = partsOf(material, page);
  const [before, after] = [stepFrom(shown, -1), stepFrom(shown, 1)];
  return (
    <section class="stagebox card" ref={box} tabIndex={-1} aria-label={t("board.title")} data-open={material.version}>
      <header class="row">
        <Icon name={material.version === BLANK ? "pen" : "doc"} />
        <b class="ell">{titleOf(material)}</b>
        {material.version !== BLANK && <span class="sm dim nw">{t(`materials.kind_${material.kind}`)}</span>}
        <span class="grow" />
        {parts > 1 && (
          <Button small icon={part > 0 ? "doc" : "search"} action="zoom-page" onClick={() => turn({ page, part: part > 0 ? 0 : 1 })}>
            {t(part > 0 ? "board.whole" : "board.zoom")}
          </Button>
        )}
        <Button small icon="left" action="previous-page" label={t("board.previous")} disabled={before === undefined} onClick={() => step(-1)} />
        <b class="nw" data-page-of={pages}>
          {page} / {pages}
          {part > 0 && <small class="dim"> · {t("board.part", { part, parts })}</small>}
        </b>
        <Button small icon="right" action="next-page" label={t("board.next")} disabled={after === undefined} onClick={() => step(1)} />
        <Button small icon="x" action="close-material" onClick={() => classroom.ask({ t: "close_material" })}>
          {t("board.close")}
        </Button>
      </header>
      <div class="desk">
        <Thumbs classroom={classroom} room={room} material={material} page={page} turn={(to) => turn({ page: to, part: 0 })} />
        <Sheet classroom={classroom} room={room} surface="desk" pens={pens} />
        <PenTools classroom={classroom} room={room} pens={pens} change={change} optional />
      </div>
    </section>
  );
}

interface ThumbsProps {
  classroom: Classroom;
  room: Room;
  material: Material;
  page: number;
  turn: (page: number) => void;
}

function Thumbs({ classroom, room, material, page, turn }: ThumbsProps) {
  const list = useRef<HTMLOListElement>(null);
  classroom.pages.arrived.value;
  useEffect(() => {
    list.current?.querySelector('[aria-current="page"]')?.scrollIntoView({ block: "nearest" });
  }, [page]);
  return (
    <ol class="thumbs" ref={list} aria-label={t("board.pages")}>
      {material.pages.map((_, index) => {
        const number = index + 1;
        const url = material.version === BLANK ? undefined : classroom.pages.url({ version: material.version, page: number, small: true });
        const drawn = strokesOn(room.snapshot.board, material.version, number).length > 0;
        return (
          <li key={number}>
            <button type="button" data-action="turn-page" data-to={number} aria-current={number === page ? "page" : undefined} aria-label={t("board.page", { page: number })} onClick={() => turn(number)}>
              {url ? <img src={url} alt="" /> : <i />}
              <span>
                {number}
                {drawn && <Icon name="pen" size="sm" label={t("board.drawn")} />}
              </span>
            </button>
          </li>
        );
      })}
    </ol>
  );
}

/** What can be opened, above the dock. */
export function Tray({ classroom, room, close }: { classroom: Classroom; room: Room; close: () => void }) {
  const { shelf, shown } = room.snapshot.board;
  const [managing, setManaging] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current?.querySelector("button")?.focus();
    const away = (event: PointerEvent) => {
      const inside = event.target instanceof Element && event.target.closest(".tray, dialog, [data-action='push-material']");
      if (!inside) close();
    };
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, []);
  const open = (version: string) => {
    const first = strokesOn(room.snapshot.board, version, 1).length === 0 ? 1 : undefined;
    classroom.ask({ t: "open_material", version, page: first ?? 1 });
    close();
  };
  const session = room.snapshot.session;
  return (
    <div
      class="tray card"
      ref={box}
      role="group"
      aria-label={t("board.tray")}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || managing) return;
        close();
        document.querySelector<HTMLElement>('[data-action="push-material"]')?.focus();
      }}
    >
      <ul>
        {shelf.map((material) => (
          <li key={material.version}>
            <button type="button" data-action="open-material" data-version={material.version} data-kind={material.kind} aria-pressed={shown?.material.version === material.version} onClick={() => open(material.version)}>
              <img src={classroom.pages.url({ version: material.version, page: 1, small: true }) ?? pageAddress(session, { version: material.version, page: 1, small: true })} alt="" />
              <span class="grow">
                <b class="ell">{material.title}</b>
                <span class="sm dim ell">
                  {t(`materials.kind_${material.kind}`)} · {t("materials.pages", { n: material.pages.length })}
                  {material.number > 1 && ` · ${t("materials.version", { n: material.number })}`}
                </span>
              </span>
            </button>
          </li>
        ))}
        <li>
          <button type="button" data-action="open-material" data-version={BLANK} aria-pressed={shown?.material.version === BLANK} onClick={() => open(BLANK)}>
            <i>
              <Icon name="pen" size="lg" />
            </i>
            <span class="grow">
              <b class="ell">{t("board.blank")}</b>
              <span class="sm dim ell">{t("board.blank_text")}</span>
            </span>
          </button>
        </li>
      </ul>
      {shelf.length === 0 && <p class="sm mut">{t("board.nothing")}</p>}
      <div class="row">
        <Button small icon="upload" action="manage-materials" onClick={() => setManaging(true)}>
          {t("board.manage")}
        </Button>
        <span class="grow" />
        {shown && (
          <Button
            small
            icon="x"
            action="close-material"
            onClick={() => {
              classroom.ask({ t: "close_material" });
              close();
            }}
          >
            {t("board.close")}
          </Button>
        )}
      </div>
      {managing && (
        <Dialog title={t("materials.title")} onClose={() => setManaging(false)}>
          <MaterialsManager session={session} />
        </Dialog>
      )}
    </div>
  );
}
