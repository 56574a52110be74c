/** This module owns which codecs a page offers. */
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

/** Offer only these codecs, with retransmission; a browser that has none of them offers its own. */
export function prefer(transceiver: RTCRtpTransceiver, kind: Track["kind"], wanted: (codec: Codec) => boolean): void {
  if (typeof transceiver.setCodecPreferences !== "function") return;
  const known = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
  const chosen = known.filter(wanted);
  if (chosen.length === 0) return;
  const repair = known.filter((codec) => codec.mimeType.toLowerCase() === "video/rtx");
  transceiver.setCodecPreferences([...chosen, ...repair]);
}
