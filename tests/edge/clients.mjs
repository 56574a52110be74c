// One file for the browser: the bundler resolves what these libraries import by name.
export { WHIPClient as Eyevinn } from "@eyevinn/whip-web-client";
export { WHIPClient as Publisher } from "whip-whep/whip.js";
export { WHEPClient as Player } from "whip-whep/whep.js";
