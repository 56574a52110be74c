/** The board at the moment that is played: the page that all rooms saw, what was drawn on it, and every turn to jump to. */
import { useEffect, useRef } from "preact/hooks";
import type { BoardMoment, ReviewBoard, ReviewView } from "../generated/api";
import type { BoardState } from "../generated/live";
import { foldBoard } from "../classroom/board";
import { PagePictures, picturesFor } from "../classroom/page-pictures";
import { Paper, titleOf } from "../classroom/paper";
import { get } from "../ui/api";
import { Empty, Failure, Skeleton } from "../ui/components";
import { t } from "../ui/i18n";
import { useResource } from "../ui/resource";
import type { Playback } from "./playback";
import { lessonTime } from "./words";

const NOTHING: BoardState = { shelf: [], shown: null, strokes: [] };
/** A recording that still grows is looked at again this often, seconds. */
const GROWING_EVERY = 5;

export function BoardTab({ view, playback }: { view: ReviewView; playback: Playback }) {
  const path = `/api/reviews/${encodeURIComponent(view.row.id)}/board`;
  // what was drawn in a room is gone when its class withdraws
  const { data, error, slow, reload } = useResource<ReviewBoard>(`${path} ${view.watching} ${view.hiddenUnits.join()}`, (signal) => get(path, signal), view.recording ? GROWING_EVERY : undefined);
  const pages = useRef<PagePictures | null>(null);
  const { position } = playback.moment.value;
  const moments = data?.moments ?? [];
  const state = useBoardAt(moments, position);
  useEffect(() => {
    if (data === undefined) return;
    pages.current ??= new PagePictures(data.session);
    pages.current.want(picturesFor(state, false));
  }, [data === undefined, state.shown]);
  useEffect(() => () => pages.current?.close(), []);
  if (data === undefined) return <div class="pb">{slow ? <Skeleton lines={5} /> : <Failure error={error} retry={reload} />}</div>;
  pages.current ??= new PagePictures(data.session);
  const turns = turnsOf(moments);
  if (turns.length === 0) {
    return (
      <div class="pb" role="tabpanel">
        <Empty>{t("review.board.never")}</Empty>
      </div>
    );
  }
  const now = [...turns].reverse().find((turn) => turn.at <= position + 0.05);
  return (
    <div class="pb board-tab" role="tabpanel" data-board={state.shown?.page ?? 0}>
      <div class="board-view">{state.shown ? <Paper board={state} pages={pages.current} /> : <p class="mut">{t("review.board.none")}</p>}</div>
      <ol class="lg">
        {turns.map((turn) => (
          <li key={turn.at}>
            <button type="button" class="row" aria-current={turn === now ? "true" : undefined} data-action="seek-page" onClick={() => playback.seek(Math.max(0, turn.at))}>
              <span class="grow ell">{turn.words}</span>
              <span class="sm dim nw">{lessonTime(turn.at)}</span>
            </button>
          </li>
        ))}
      </ol>
    </div>
  );
}

/** The board as it was at a moment; playing on folds only what has happened since. */
function useBoardAt(moments: readonly BoardMoment[], position: number): BoardState {
  const kept = useRef<{ moments: readonly BoardMoment[]; count: number; state: BoardState }>({ moments, count: 0, state: NOTHING });
  let due = 0;
  while (due < moments.length && (moments[due]?.at ?? 0) <= position + 0.05) due++;
  let { count, state } = kept.current;
  if (kept.current.moments !== moments || due < count) [count, state] = [0, NOTHING];
  for (const moment of moments.slice(count, due)) state = foldBoard(state, moment.event, moment.at);
  kept.current = { moments, count: due, state };
  return state;
}

interface Turn {
  at: number;
  words: string;
}

/** When which page came, and when the material was closed. */
function turnsOf(moments: readonly BoardMoment[]): Turn[] {
  let title = "";
  const found: Turn[] = [];
  for (const { at, event } of moments) {
    if (event.type === "material_opened") title = titleOf(event.material);
    if (event.type === "material_opened" || event.type === "page_turned") found.push({ at, words: t("review.board.opened", { title, page: event.page }) });
    if (event.type === "material_closed") found.push({ at, words: t("review.board.closed") });
  }
  return found;
}
