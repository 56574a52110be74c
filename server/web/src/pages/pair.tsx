/** Where the QR code on a new panel leads: confirm the code and say which room it is. */

import "./lists.css";

import type { RoomRow } from "../generated/api";
import { PairingForm } from "../rooms/pairing-form";
import { get } from "../ui/api";
import { Empty, Failure, Skeleton } from "../ui/components";
import { t } from "../ui/i18n";
import { mount } from "../ui/mount";
import { useResource } from "../ui/resource";
import { me } from "../ui/session";
import { Frame } from "../ui/top";

function PairPage() {
  const { data, error, slow, reload } = useResource<RoomRow[]>(me.value && "rooms", (signal) => get("/api/rooms", signal));
  const code = new URLSearchParams(location.search).get("code") ?? "";
  return (
    <Frame here="rooms">
      <main class="sheet-page narrow-page">
        <section class="card box">
          <h1>{t("pair.title")}</h1>
          {data === undefined && <Failure error={error} retry={reload} />}
          {slow && <Skeleton />}
          {data !== undefined && (data.length === 0 ? <Empty>{t("rooms.none")}</Empty> : <PairingForm rooms={data} code={code} onPaired={reload} />)}
        </section>
      </main>
    </Frame>
  );
}

void mount(PairPage, "pair.title");
