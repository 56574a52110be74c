/** An upload on its way: how much of it has gone, its end, and giving it up. `fetch` cannot tell how far it is. */
import type { MaterialRow } from "../generated/api";
import { Problem, problemOf, seatHeaders } from "../ui/api";

export interface Upload {
  done: Promise<MaterialRow>;
  cancel(): void;
}

/** Given up by the person who began it: nothing to say about it. */
export class GivenUp extends Error {}

const HEAD = 1024;
const PDF = [0x25, 0x50, 0x44, 0x46, 0x2d];
const PICTURES = [[0x89, 0x50, 0x4e, 0x47], [0xff, 0xd8, 0xff], [0x52, 0x49, 0x46, 0x46]];

/** What the server would refuse anyway, said before a slow line has carried it there; undefined where it may go. */
export async function refusalOf(files: readonly File[], limits: { mostMegabytes: number; mostPages: number }): Promise<Problem | undefined> {
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  if (bytes > limits.mostMegabytes * 1024 * 1024) return new Problem(413, "material_too_large", "", { megabytes: limits.mostMegabytes });
  if (files.length > limits.mostPages) return new Problem(422, "material_too_many_pages", "", { pages: files.length, most: limits.mostPages });
  const heads = await Promise.all(files.map(async (file) => new Uint8Array(await file.slice(0, HEAD).arrayBuffer())));
  const pdfs = heads.filter((head) => head.some((_, at) => PDF.every((byte, index) => head[at + index] === byte)));
  const pictures = heads.filter((head) => PICTURES.some((sign) => sign.every((byte, index) => head[index] === byte)));
  const fits = pdfs.length === 0 ? pictures.length === files.length : files.length === 1;
  return fits ? undefined : new Problem(415, "material_wrong_type");
}

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
