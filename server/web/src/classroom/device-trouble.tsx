/** What is wrong with this machine's cameras and microphone, in a sentence, and the ways out. */
import { Button, Note } from "../ui/components";
import { t } from "../ui/i18n";
import type { Capture, Fault } from "./capture";
import type { Classroom } from "./classroom";

/** The sentence for the troubles of a capture; empty where all is well. What was switched off is no trouble. */
export function troubleOf(capture: Pick<Capture, "microphone" | "camera" | "standIns">): string {
  const microphone = trouble(capture.microphone);
  const camera = trouble(capture.camera);
  if (microphone !== null && microphone === camera) return t(`classroom.device.both_${microphone}`);
  const said = [microphone && t(`classroom.device.microphone_${microphone}`), camera && t(`classroom.device.camera_${camera}`)];
  for (const { lost, now } of capture.standIns.values()) said.push(t("classroom.device.stands_in", { lost, now }));
  return said.filter(Boolean).join(" ");
}

function trouble(fault: Fault | null): Fault | null {
  return fault === "off" ? null : fault;
}

export interface DeviceTroubleProps {
  classroom: Classroom;
  /** Absent where the page has its own button for it. */
  choose?: () => void;
}

export function DeviceTrouble({ classroom, choose }: DeviceTroubleProps) {
  const capture = classroom.devices.value;
  if (capture === null) return null;
  capture.version.value;
  const text = troubleOf(capture);
  if (text === "") return null;
  const open = [...capture.faults.values()].some((fault) => fault !== "off" && fault !== "insecure");
  return (
    <Note tone="warn">
      <span title={text}>{text}</span>{" "}
      {open && (
        <Button small action="retry-devices" onClick={() => void classroom.openDevices()}>
          {t("classroom.device.retry")}
        </Button>
      )}
      {choose && (
        <Button small action="choose-devices" onClick={choose}>
          {t("classroom.device.choose")}
        </Button>
      )}
    </Note>
  );
}
