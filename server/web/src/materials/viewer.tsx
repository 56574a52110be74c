/** One version of a material to leaf through, without opening it in any room. */
import { useState } from "preact/hooks";
import type { MaterialRow } from "../generated/api";
import { pageAddress } from "../classroom/page-pictures";
import { Button, Dialog } from "../ui/components";
import { t } from "../ui/i18n";

export interface ViewerProps {
  session: string;
  title: string;
  version: MaterialRow["versions"][number];
  onClose: () => void;
}

export function Viewer({ session, title, version, onClose }: ViewerProps) {
  const [page, setPage] = useState(1);
  const pages = version.pages.length;
  const turn = (to: number) => setPage(Math.min(pages, Math.max(1, to)));
  return (
    <Dialog title={title} onClose={onClose} wide>
      <div
        class="viewer"
        data-page={page}
        onKeyDown={(event) => {
          const step = { PageDown: 1, ArrowRight: 1, PageUp: -1, ArrowLeft: -1 }[event.key];
          if (step === undefined) return;
          event.preventDefault();
          event.stopPropagation();
          turn(page + step);
        }}
      >
        <img src={pageAddress(session, { version: version.id, page, small: false })} alt={t("board.page_of", { title, page, pages })} />
        <div class="row">
          <span class="sm mut grow">{t("materials.version", { n: version.number })}</span>
          <Button small icon="left" action="viewer-previous" label={t("board.previous")} disabled={page <= 1} onClick={() => turn(page - 1)} />
          <b class="nw">
            {page} / {pages}
          </b>
          <Button small icon="right" action="viewer-next" label={t("board.next")} disabled={page >= pages} onClick={() => turn(page + 1)} />
        </div>
      </div>
    </Dialog>
  );
}
