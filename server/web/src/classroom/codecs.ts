/** This module owns which codecs a page offers, and which of them an answer has. */
import type { Track } from "../generated/live";

type Codec = RTCRtpCodec;

export function isOpus(codec: Codec): boolean {
  return codec.mimeType.toLowerCase() === "audio/opus";
}

export function isVp8(codec: Codec): boolean {
  return codec.mimeType.toLowerCase() === "video/vp8";
}

/** What recordings hold without transcoding, and every classroom PC decodes. */
export function isH264(codec: Codec): boolean {
  const line = codec.sdpFmtpLine ?? "";
  return codec.mimeType.toLowerCase() === "video/h264" && /profile-level-id=42e01f/i.test(line) && line.includes("packetization-mode=1");
}

/** What a picture may be sent in: the server's answer chooses, as all browsers of the lesson can. */
export function isPicture(codec: Codec): boolean {
  return isH264(codec) || isVp8(codec);
}

/** The codecs of an answer's pictures, in their order; null where it has no pictures. */
export function codecsOf(answer: string): string[] | null {
  const pictures = answer.split(/^m=/m).filter((section) => section.startsWith("video "));
  if (pictures.length === 0) return null;
  const taken = pictures.filter((section) => !section.startsWith("video 0 "));
  return taken.flatMap((section) => [...section.matchAll(/^a=rtpmap:\d+ (H264|VP8)\//gim)].map((found) => (found[1] ?? "").toLowerCase()));
}

/** Offer only these codecs, with retransmission; a browser that has none of them offers its own. */
export function prefer(transceiver: RTCRtpTransceiver, kind: Track["kind"], wanted: (codec: Codec) => boolean): void {
  if (typeof transceiver.setCodecPreferences !== "function") return;
  const known = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
  const chosen = known.filter(wanted);
  if (chosen.length === 0) return;
  const repair = known.filter((codec) => codec.mimeType.toLowerCase() === "video/rtx");
  transceiver.setCodecPreferences([...chosen, ...repair]);
}
