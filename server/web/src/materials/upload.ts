/** An upload on its way: how much of it has gone, its end, and giving it up. `fetch` cannot tell how far it is. */
import type { MaterialRow } from "../generated/api";
import { Problem, problemOf, seatHeaders } from "../ui/api";

export interface Upload {
  done: Promise<MaterialRow>;
  cancel(): void;
}

/** Given up by the person who began it: nothing to say about it. */
export class GivenUp extends Error {}

/** `progress` gets the part that has gone, 0 to 1. */
export function upload(path: string, files: readonly File[], progress: (part: number) => void): Upload {
  const request = new XMLHttpRequest();
  const form = new FormData();
  for (const file of files) form.append("file", file, file.name);
  const done = new Promise<MaterialRow>((resolve, reject) => {
    request.upload.onprogress = (event) => progress(event.lengthComputable && event.total > 0 ? event.loaded / event.total : 0);
    request.onload = () => {
      if (request.status === 201) resolve(JSON.parse(request.responseText) as MaterialRow);
      else reject(problemOf(request.status, request.responseText));
    };
    request.onerror = () => reject(new Problem(0, "unreachable"));
    request.onabort = () => reject(new GivenUp());
  });
  request.open("POST", path);
  for (const [name, value] of Object.entries({ Accept: "application/json", "X-Tongke": "1", ...seatHeaders() })) request.setRequestHeader(name, value);
  request.send(form);
  return { done, cancel: () => request.abort() };
}
