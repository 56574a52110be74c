/** The button of wall panels: as large as a hand needs it. */
import type { ComponentChildren } from "preact";

export function WallButton({ action, onClick, children }: { action: string; onClick: () => void; children: ComponentChildren }) {
  return (
    <button type="button" class="wb" data-action={action} onClick={onClick}>
      {children}
    </button>
  );
}
