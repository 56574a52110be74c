/** Photos of pupils' work: this module owns making them small on the phone, sending them, and reading them back. */
import { useEffect, useState } from "preact/hooks";
import type { PhotoKept } from "../generated/api";
import { Problem, problemOf, seatHeaders } from "../ui/api";

/** A notebook page stays readable at this edge, and travels over a weak line. */
const EDGE = 1600;
const MOST_BYTES = 900_000;

/** The photo as a JPEG that the server takes; rejects with a Problem for what is no picture. */
export async function shrink(file: Blob): Promise<Blob> {
  const url = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = url;
    await image.decode().catch(() => {
      throw new Problem(0, "photo_unreadable");
    });
    for (const [edge, quality] of [[EDGE, 0.8], [EDGE, 0.6], [1000, 0.6]] as const) {
      const scale = Math.min(1, edge / Math.max(image.naturalWidth, image.naturalHeight));
      const canvas = document.createElement("canvas");
      canvas.width = Math.max(1, Math.round(image.naturalWidth * scale));
      canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
      canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
      const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", quality));
      if (blob !== null && blob.size <= MOST_BYTES) return blob;
    }
    throw new Problem(0, "photo_unreadable");
  } finally {
    URL.revokeObjectURL(url);
  }
}

const photos = (session: string) => `/api/sessions/${encodeURIComponent(session)}/photos`;

export async function send(session: string, exercise: string, seat: number | null, picture: Blob): Promise<string> {
  const pupil = seat === null ? "" : `&pupil=${seat}`;
  const response = await reach(`${photos(session)}?exercise=${encodeURIComponent(exercise)}${pupil}`, {
    method: "POST",
    headers: { "Content-Type": "image/jpeg", "X-Tongke": "1", ...seatHeaders() },
    body: picture,
  });
  return ((await response.json()) as PhotoKept).photo;
}

/** A photo as an address for an image, while it is shown; "" until it is there, null when it cannot be read. */
export function usePhoto(session: string, photo: string): string | null {
  const [url, setUrl] = useState<string | null>("");
  useEffect(() => {
    let shown = true;
    let made = "";
    reach(`${photos(session)}/${photo}`, { headers: seatHeaders() })
      .then((response) => response.blob())
      .then(
        (blob) => {
          if (!shown) return;
          made = URL.createObjectURL(blob);
          setUrl(made);
        },
        () => shown && setUrl(null),
      );
    return () => {
      shown = false;
      if (made) URL.revokeObjectURL(made);
    };
  }, [session, photo]);
  return url;
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...init });
  } catch {
    throw new Problem(0, "unreachable");
  }
  if (!response.ok) throw problemOf(response.status, await response.text());
  return response;
}
