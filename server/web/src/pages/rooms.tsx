/** The remote rooms of the schools one leads: which have a panel, whether it is alive, and pairing a new one. */

import "./lists.css";

import { useEffect, useState } from "preact/hooks";
import type { CameraView, ChangedRoom, RoomRow } from "../generated/api";

import { CameraCell, CameraDialog } from "../rooms/camera";
import { PairingForm } from "../rooms/pairing-form";
import { del, get, put } from "../ui/api";
import { Button, Dialog, Empty, Failure, Skeleton, Stale, StateChip, useAction } from "../ui/components";
import { t } from "../ui/i18n";
import { mount } from "../ui/mount";
import { label } from "../ui/names";
import { useResource } from "../ui/resource";
import { me } from "../ui/session";
import { dateTime, now } from "../ui/time";
import { Frame } from "../ui/top";

const REFRESH_SECONDS = 30;
/** A panel that was heard of within this time is on. */
const ONLINE_SECONDS = 150;

function RoomsPage() {
  const { data, error, slow, at, reload } = useResource<RoomRow[]>(me.value && "rooms", (signal) => get("/api/rooms", signal), REFRESH_SECONDS);
  const cameras = useResource<CameraView[]>(me.value && "cameras", (signal) => get("/api/cameras", signal), REFRESH_SECONDS);
  const [filming, setFilming] = useState<RoomRow | null>(null);
  const cameraOf = (room: RoomRow) => cameras.data?.find((camera) => camera.room === room.id);
  const [leaving, setLeaving] = useState<RoomRow | null>(null);
  const address = `${location.host}/room`;
  return (
    <Frame here="rooms">
      <main class="sheet-page">
        <div class="page-head">
          <h1>{t("rooms.title")}</h1>
          <span class="mut">{t("rooms.lead")}</span>
        </div>
        {data === undefined ? <Failure error={error} retry={reload} /> : <Stale at={at} error={error} retry={reload} />}
        {slow && <Skeleton lines={8} />}
        {data !== undefined && data.length === 0 && <Empty>{t("rooms.none")}</Empty>}
        {data !== undefined && data.length > 0 && (
          <div class="two-columns">
            <section class="card">
              <table class="list">
                <thead>
                  <tr>
                    <th>{t("rooms.room")}</th>
                    <th>{t("rooms.panel")}</th>
                    <th>{t("rooms.devices")}</th>
                    <th>{t("camera.column")}</th>
                    <th />
                  </tr>
                </thead>
                <tbody>
                  {data.map((room) => (
                    <Row key={room.id} room={room} camera={cameraOf(room)} film={() => setFilming(room)} leave={() => setLeaving(room)} changed={reload} />
                  ))}
                </tbody>
              </table>
            </section>
            <section class="card box">
              <h2>{t("pair.title")}</h2>
              <p class="sm mut">{t("pair.lead", { address })}</p>
              <PairingForm rooms={data} onPaired={reload} />
            </section>
          </div>
        )}
        {filming && <CameraDialog room={filming} camera={cameraOf(filming)} close={() => setFilming(null)} done={cameras.reload} />}
        {leaving && <Leave room={leaving} close={() => setLeaving(null)} done={reload} />}
      </main>
    </Frame>
  );
}

function Row({ room, camera, film, leave, changed }: { room: RoomRow; camera: CameraView | undefined; film: () => void; leave: () => void; changed: () => void }) {
  const listening = useAction();
  const [listens, setListens] = useState(room.listenOnly);
  useEffect(() => setListens(room.listenOnly), [room.listenOnly]);
  const listen = (listenOnly: boolean) => {
    setListens(listenOnly);
    listening.run(async () => {
      try {
        await put(`/api/rooms/${encodeURIComponent(room.id)}`, { listenOnly } satisfies ChangedRoom);
      } catch (error) {
        setListens(!listenOnly);
        throw error;
      }
      changed();
    });
  };
  const online = room.lastSeen !== null && now() - room.lastSeen < ONLINE_SECONDS;
  return (
    <tr data-room={room.id} data-state={room.pairedAt === null ? "unpaired" : online ? "online" : "away"}>
      <td>
        <b>{label(room.name)}</b>
        <span class="dim sm">{room.unitName}</span>
      </td>
      <td class="wide">
        {room.pairedAt === null ? (
          <span class="dim">{t("rooms.unpaired")}</span>
        ) : (
          <>
            <StateChip tone={online ? "ok" : ""} icon={online ? "check" : "linkoff"}>
              {online ? t("rooms.online") : room.lastSeen === null ? t("rooms.never_seen") : t("rooms.seen", { time: dateTime(room.lastSeen) })}
            </StateChip>{" "}
            <span class="dim sm">{t("rooms.paired", { name: room.pairedBy, time: dateTime(room.pairedAt) })}</span>
          </>
        )}
      </td>
      <td class="wide" title={t("rooms.listen_only_hint")}>
        <label class="row">
          <input type="checkbox" name="listen-only" checked={listens} disabled={listening.busy} onChange={(event) => listen(event.currentTarget.checked)} />
          <span class="sm nw">{t("rooms.listen_only")}</span>
        </label>
        <Failure error={listening.error} />
      </td>
      <td class="wide">
        <CameraCell camera={camera} edit={film} />
      </td>
      <td class="act">
        {room.pairedAt !== null && (
          <Button small onClick={leave}>
            {t("rooms.unpair")}
          </Button>
        )}
      </td>
    </tr>
  );
}

function Leave({ room, close, done }: { room: RoomRow; close: () => void; done: () => void }) {
  const { busy, error, run } = useAction();
  const name = label(room.name);
  const unpair = () =>
    run(async () => {
      await del(`/api/rooms/${encodeURIComponent(room.id)}/device`);
      done();
      close();
    });
  return (
    <Dialog title={t("rooms.unpair_title", { room: name })} onClose={close}>
      <p>{t("rooms.unpair_means")}</p>
      <Failure error={error} />
      <div class="dialog-acts">
        <Button onClick={close}>{t("act.cancel")}</Button>
        <Button kind="bad" busy={busy} onClick={unpair}>
          {t("rooms.unpair_confirm", { room: name })}
        </Button>
      </div>
    </Dialog>
  );
}

void mount(RoomsPage, "rooms.title");
