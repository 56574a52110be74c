/** A photo of pupils' work on a page: small, and large when it is pressed. */
import { useState } from "preact/hooks";
import type { Photo } from "../generated/live";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import { usePhoto } from "./photo";

export function PhotoView({ session, photo }: { session: string; photo: Photo }) {
  const url = usePhoto(session, photo.id);
  const [large, setLarge] = useState(false);
  const label = photo.seat === null ? t("classroom.exercise.photo") : t("classroom.exercise.photo_of", { seat: photo.seat });
  return (
    <button type="button" class={`xphoto ${large ? "large" : ""}`} aria-label={label} aria-pressed={large} data-photo={photo.id} onClick={() => setLarge(!large)}>
      {url ? <img src={url} alt={label} /> : <Icon name={url === null ? "warn" : "load"} spin={url === ""} size="lg" />}
      {photo.seat !== null && <span class="xs">{t("classroom.seat.no", { seat: photo.seat })}</span>}
    </button>
  );
}
