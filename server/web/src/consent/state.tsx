/** What holds for a class, in a word. */

import type { ClassConsentRow } from "../generated/api";
import { StateChip } from "../ui/components";
import { t } from "../ui/i18n";

export function ConsentState({ row }: { row: ClassConsentRow }) {
  if (row.agreed) {
    return (
      <StateChip tone="agreed" icon="check">
        {t("consents.agreed")}
      </StateChip>
    );
  }
  return (
    <StateChip tone="bad" icon="camoff">
      {t(row.said === null ? "consents.refused" : "consents.withdrawn")}
    </StateChip>
  );
}
