/** A QR code, drawn from the server's path: dark on white with its quiet zone, whatever the theme is. */
import type { QrCode } from "../generated/api";

const QUIET = 4;

export function Qr({ code, label }: { code: QrCode; label: string }) {
  const side = code.size + 2 * QUIET;
  return (
    <svg class="qr" viewBox={`0 0 ${side} ${side}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width={side} height={side} fill="#fff" />
      <path d={code.path} transform={`translate(${QUIET} ${QUIET})`} fill="#000" />
    </svg>
  );
}
