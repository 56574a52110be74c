/** What a page lets be heard: every voice of the room on the chosen loudspeaker, and the way out where it is silenced. */
import { useEffect, useRef } from "preact/hooks";
import { t } from "../ui/i18n";
import { Icon } from "../ui/icons";
import type { Classroom } from "./classroom";
import { onDevices } from "./devices";
import { route } from "./speaker";

/** Every voice of the room, unseen. */
export function Sounds({ classroom }: { classroom: Classroom }) {
  const room = classroom.room.value;
  const { received } = classroom.media.value;
  const voices = (room?.tracks ?? []).filter((track) => track.kind === "audio" && received.has(track.id));
  useEffect(() => onDevices(() => routeAll()), []);
  return (
    <div hidden>
      {voices.map((track) => (
        <Voice key={track.id} stream={received.get(track.id)} participant={track.participant} classroom={classroom} />
      ))}
    </div>
  );
}

/** Sends every voice of the page to the loudspeaker that is chosen now. */
export function routeAll(): void {
  for (const voice of document.querySelectorAll<HTMLAudioElement>("audio[data-participant]")) void route(voice);
}

function Voice({ stream, participant, classroom }: { stream: MediaStream | undefined; participant: string; classroom: Classroom }) {
  const audio = useRef<HTMLAudioElement>(null);
  useEffect(() => {
    const element = audio.current;
    if (element === null || stream === undefined) return;
    if (element.srcObject !== stream) element.srcObject = stream;
    void route(element);
    element.play().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === "NotAllowedError") classroom.setSilenced(true);
    });
  }, [stream]);
  return <audio ref={audio} data-participant={participant} autoplay />;
}

/** Shown when the browser waits for a touch before it plays sound. */
export function SoundUnlock({ classroom }: { classroom: Classroom }) {
  const { silenced, local } = classroom.media.value;
  const unlock = () => {
    const voices = [...document.querySelectorAll("audio")];
    void Promise.all(voices.map((voice) => voice.play())).then(
      () => classroom.setSilenced(false),
      () => undefined,
    );
  };
  // Chromium lets a page that has camera or microphone open be heard: a panel that opened them too late needs no touch
  useEffect(() => {
    if (silenced && local.size > 0) unlock();
  }, [silenced, local.size]);
  // any touch of the page is a touch: nobody needs to find the button
  useEffect(() => {
    if (!silenced) return undefined;
    addEventListener("pointerup", unlock);
    addEventListener("keyup", unlock);
    return () => {
      removeEventListener("pointerup", unlock);
      removeEventListener("keyup", unlock);
    };
  }, [silenced]);
  if (!silenced) return null;
  return (
    <button type="button" class="unlock" data-action="play-sound" onClick={unlock}>
      <Icon name="vol" size="lg" />
      {t("classroom.sound.unlock")}
    </button>
  );
}
