/** Confirming that a panel belongs to a room: the code it shows, and the room it stands in. */

import { useState } from "preact/hooks";
import type { ConfirmPairing, RoomRow } from "../generated/api";
import { post } from "../ui/api";
import { Button, Failure, Field, Note, useAction } from "../ui/components";
import { t } from "../ui/i18n";
import { label } from "../ui/names";

export interface PairingFormProps {
  rooms: readonly RoomRow[];
  code?: string;
  onPaired: () => void;
}

export function PairingForm({ rooms, code: given = "", onPaired }: PairingFormProps) {
  const [code, setCode] = useState(given);
  const [room, setRoom] = useState(rooms.length === 1 ? (rooms[0]?.id ?? "") : "");
  const [done, setDone] = useState<string | null>(null);
  const { busy, error, run } = useAction();
  const chosen = rooms.find((one) => one.id === room);
  const units = [...new Set(rooms.map((one) => one.unitName))];
  const ready = code.trim() !== "" && room !== "";
  const confirm = () =>
    run(async () => {
      const body: ConfirmPairing = { code: code.replace(/\s/g, ""), room };
      await post("/api/pairing/confirm", body);
      setDone(chosen ? `${chosen.unitName} ${label(chosen.name)}` : "");
      setCode("");
      onPaired();
    });
  if (done !== null) {
    return (
      <>
        <Note tone="ok">{t("pair.done", { room: done })}</Note>
        <Button onClick={() => setDone(null)}>{t("pair.another")}</Button>
      </>
    );
  }
  return (
    <form
      class="box-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy && ready) confirm();
      }}
    >
      <Field label={t("pair.code")}>
        <input
          class="input code-input"
          name="code"
          autocomplete="off"
          inputMode="numeric"
          maxLength={12}
          required
          value={code}
          onInput={(event) => setCode(event.currentTarget.value)}
        />
      </Field>
      <Field label={t("pair.room")}>
        <select class="input" name="room" required value={room} onChange={(event) => setRoom(event.currentTarget.value)}>
          <option value="">{t("pair.choose")}</option>
          {units.map((unit) => (
            <optgroup label={unit}>
              {rooms
                .filter((one) => one.unitName === unit)
                .map((one) => (
                  <option value={one.id}>{label(one.name)}</option>
                ))}
            </optgroup>
          ))}
        </select>
      </Field>
      {chosen?.pairedAt && <Note tone="warn">{t("pair.replaces")}</Note>}
      <Failure error={error} />
      <Button kind="pri" submit busy={busy} disabled={!ready} action="confirm-pairing">
        {t("pair.confirm")}
      </Button>
      <p class="xs dim">{t("pair.check")}</p>
    </form>
  );
}
