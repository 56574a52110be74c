/** What the others see of this room, or why they see nothing. */
import type { Participant } from "../generated/live";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import type { Classroom } from "./classroom";
import { Picture } from "./parts";

export function Own({ classroom, me }: { classroom: Classroom; me: Participant }) {
  const { local, camera } = classroom.media.value;
  const source = local.has("pupils") ? "pupils" : "teacher";
  if (!local.has(source)) {
    return (
      <div class="calm small">
        <Icon name={camera ? "camoff" : "load"} spin={!camera} />
        <span class="w28">{camera ? t(`classroom.device.short_${camera}`) : t("classroom.tile.opening_camera")}</span>
      </div>
    );
  }
  return <Picture stream={local.get(source)} participant={me.id} source={source} />;
}
